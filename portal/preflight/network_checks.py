"""Checks of this host's ports, and of what DNS says about it."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError

from engine.database import clock
from engine.health import process_identity
from engine.health.models import Heartbeat
from engine.network import dns, dnssec
from portal.preflight.results import Result, fault, ok, warning

CONNECT_SECONDS = 2.0
# The address to connect to where a server listens on all of them.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


def ports() -> Iterator[Result]:
    """Yields for each port whether it is free, or a process of this service has it."""
    ours = settings.POSTERN
    running = _running_here()
    yield _port("POSTERN_WEB_PORT", ours.host, ours.web_port, "web" in running)
    for name in ("smtp", "submission", "submissions", "pop3", "pop3s"):
        variable = f"POSTERN_{name.upper()}_PORT"
        port = getattr(ours, f"{name}_port")
        yield _port(variable, ours.smtp_host, port, "engine" in running)


def _running_here() -> set[str]:
    """Returns the kinds of our processes that are alive on this host."""
    try:
        alive = Heartbeat.objects.alive(clock.now())
        return set(
            alive.filter(host=process_identity.host()).values_list("kind", flat=True)
        )
    except DatabaseError:
        return set()


def _port(variable: str, host: str, port: int, is_running: bool) -> Result:
    name = f"port {port}"
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _taken(variable, name, is_running)
        if error.errno != errno.EACCES:
            return fault(
                name, f"{host} cannot be used: {error.strerror}. See {variable}."
            )
    else:
        return ok(name, "It is free.")
    # Only the service may listen there; a connection shows whether another program does.
    if _answers(host, port):
        return _taken(variable, name, is_running)
    return ok(name, "It is free, and the systemd unit permits it.")


def _taken(variable: str, name: str, is_running: bool) -> Result:
    if is_running:
        return ok(name, "This service listens on it.")
    return fault(
        name,
        f"Another program listens on it (ss -ltnp shows which). Stop it, or set {variable}.",
    )


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that ended recently are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection(
            (_LOOPBACK.get(host, host), port), CONNECT_SECONDS
        ):
            return True
    except OSError:
        return False


def names() -> Iterator[Result]:
    """Yields whether DNS knows the service's names, and where it sends the community's mail."""
    ours = settings.POSTERN
    site = urlsplit(ours.site_url).hostname or ""
    for variable, name in (
        ("POSTERN_SMTP_NAME", ours.smtp_name),
        ("POSTERN_WEB_URL", site),
    ):
        yield _address(variable, name)
    yield _mail_exchanger(ours.community_domain, ours.smtp_name)
    yield from validation()


def validation() -> Iterator[Result]:
    """Yields whether the resolver that DANE trusts validates, if there is one."""
    where = settings.POSTERN.validating_resolver
    if not where:
        return
    try:
        root = asyncio.run(dnssec.look_up(".", "SOA"))
    except dns.DnsUnavailable:
        yield fault(
            "DNSSEC",
            f"Nothing answers at {where}, so that mail to members' servers waits. Start "
            "the resolver, or correct POSTERN_VALIDATING_RESOLVER.",
        )
        return
    if root.is_secure:
        yield ok("DNSSEC", f"{where} validates.")
    else:
        yield warning(
            "DNSSEC",
            f"{where} does not validate the root zone, so that DANE protects no server. "
            "Give it the root's trust anchor, or correct POSTERN_VALIDATING_RESOLVER.",
        )


def _address(variable: str, name: str) -> Result:
    try:
        found = dns.addresses(name)
    except dns.DnsUnavailable:
        return _unanswered(name)
    if found:
        return ok("DNS", f"{name} is {', '.join(map(str, found))}.")
    return warning(
        "DNS", f"{name} of {variable} has no address. Add an A or AAAA record."
    )


def _mail_exchanger(domain: str, name: str) -> Result:
    try:
        found = [one.host for one in dns.mx(domain)]
    except dns.DnsUnavailable:
        return _unanswered(domain)
    if name.casefold() in map(str.casefold, found):
        return ok("DNS", f"Mail for {domain} goes to {name}.")
    shown = ", ".join(found) or "nowhere"
    return warning(
        "DNS",
        f"Mail for {domain} goes to {shown}. Add an MX record to {name}, unless every "
        "member's server has a route to it.",
    )


def _unanswered(name: str) -> Result:
    return warning(
        "DNS",
        f"No name server answers for {name}. See POSTERN_DNS_SERVERS and /etc/resolv.conf.",
    )
