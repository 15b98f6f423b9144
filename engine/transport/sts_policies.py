"""Which MTA-STS policies bind a delivery, and keeping them fresh (RFC 8461).

MTA-STS is about hosts that a domain's MX records name. Postern is told its next hops, so a
policy binds where the next hop of a connection is one of the exchangers of a domain of its
organisation, as with the gateways of Microsoft 365 and Google: there the member's domain
says by its MX records that its mail goes to this host. It does not bind

- a next hop that no MX record names, which the organisation chose for this community;
- a connection that names another host in its certificate, its own pin;
- a session that DANE protects, which takes precedence (§2).

The certificate of every next hop is verified for its name anyway, so that a policy adds one
demand: that it lists the host. All domains are known beforehand, so a job fetches their
policies and deliveries never wait for one. A policy that cannot be fetched again stays in
force until its own end (§3.3).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from urllib.parse import urlsplit

from django.conf import settings

from engine.database import clock
from engine.network import dns
from engine.registry.errors import PolicyError
from engine.registry.models import Domain, TransportPolicy
from engine.transport.pinned_http import PinnedConnection, target
from engine.transport.sts_policy import (
    MAX_OCTETS,
    Mode,
    StsError,
    StsPolicy,
    policy_id,
)

SECONDS = 20.0  # for the whole of a fetch
# Fetched again when it is so old, or as soon as its id changes (§3.3).
FRESH = timedelta(days=1)
# Between two looks of the job; what ends before the next one is fetched now.
EVERY = timedelta(hours=1)
MAX_EXCHANGERS = 50
URL = "https://mta-sts.{domain}/.well-known/mta-sts.txt"
# Seconds for which a process believes what it read. Tests wait for nothing.
BELIEVED = 0.0 if settings.POSTERN.env == "test" else 30.0


class NotFetchedError(Exception):
    """The policy cannot be had. The message says why."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A policy in force, the domain that it is of, and the hosts that its MX names."""

    domain: str
    policy: StsPolicy
    exchangers: frozenset[str]


_read: tuple[float, dict[str, Binding]] = (-1e9, {})


def in_force(domains: Iterable[str]) -> tuple[Binding, ...]:
    """Returns the policies of those member domains. Asks the database now and then."""
    global _read
    read_at, known = _read
    if time.monotonic() - read_at >= BELIEVED:
        known = _load()
        _read = time.monotonic(), known
    return tuple(known[domain] for domain in sorted(domains) if domain in known)


def _load() -> dict[str, Binding]:
    rows = TransportPolicy.objects.filter(expires_at__gt=clock.now())
    found = {}
    for name, text, hosts in rows.values_list(
        "domain__member_domain", "text", "exchangers"
    ):
        # Another version may have written what this one takes for no policy.
        with suppress(StsError):
            policy = StsPolicy.parse(text.encode())
            if policy.mode is not Mode.NONE:
                found[name] = Binding(name, policy, frozenset(hosts))
    return found


def refresh(domain: Domain) -> None:
    """Looks at the domain's record, and fetches its policy where that is due.

    Keeps what is known where name servers or the web server fail. Blocks for up to a minute.
    """
    name, now = domain.member_domain, clock.now()
    row = TransportPolicy.objects.filter(domain=domain).first()
    try:
        announced = policy_id(dns.txt(f"_mta-sts.{name}"))
        hosts = [one.host.lower() for one in dns.mx(name)][:MAX_EXCHANGERS]
    except dns.DnsUnavailable:
        return
    if row is None and not announced:
        return
    row = row or TransportPolicy(domain=domain, expires_at=now, fetched_at=now - FRESH)
    row.exchangers = hosts
    is_due = row.policy_id != announced or row.fetched_at <= now - FRESH
    if announced and (is_due or row.expires_at <= now + 2 * EVERY):
        try:
            policy = fetch(name)
        except NotFetchedError as error:
            row.fault = str(error)[:200]
        else:
            row.policy_id, row.text, row.fault = announced, str(policy), ""
            row.fetched_at = now
            row.expires_at = now + timedelta(seconds=policy.max_age)
    if row.text:
        row.save()


def fetch(domain: str) -> StsPolicy:
    """Fetches and parses a domain's policy (§3.3). Raises NotFetchedError.

    By TLS with a certificate of a public authority, from the one well-known place: no
    redirect is followed.
    """
    parts = urlsplit(URL.format(domain=domain))
    connection = PinnedConnection(parts, seconds=SECONDS)
    try:
        connection.request("GET", target(parts), headers={"Accept": "text/plain"})
        response = connection.getresponse()
        if response.status != 200:
            raise NotFetchedError(f"The web server answered {response.status}.")
        if response.headers.get_content_type() != "text/plain":
            raise NotFetchedError("It is not served as text/plain.")
        return StsPolicy.parse(response.read(MAX_OCTETS + 1))
    except StsError as error:
        raise NotFetchedError(str(error)) from error
    except (PolicyError, dns.DnsUnavailable) as error:
        raise NotFetchedError("Its web server has no public address.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetchedError(f"No answer: {type(error).__name__}") from error
    finally:
        connection.close()
