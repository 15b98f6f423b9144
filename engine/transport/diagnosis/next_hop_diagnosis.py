"""Diagnoses a next hop step by step, and says what is wrong with it in plain words.

Nothing is delivered. Everything that the server sends is limited in time and size.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings

from engine.network import dns, ssrf_protection
from engine.transport import tls, tls_faults
from engine.transport.connection_errors import (
    DNSSEC_BOGUS,
    NO_DNSSEC_ANSWER,
    ConversationError,
)
from engine.transport.diagnosis.bounded_client import BoundedClient, ClientError
from engine.transport.diagnosis.peer_certificate import Certificate
from engine.transport.next_hop import Hop
from engine.transport.protection import Protection

# A message with the largest attachment that members may send.
SIZE_WANTED = 25 * 1024 * 1024


class Stage(StrEnum):
    """The steps, in order. Each needs the one before."""

    NAME = "name"
    CONNECT = "connect"
    STARTTLS = "starttls"
    CERTIFICATE = "certificate"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one stage: what was seen, and the fault in one sentence, if any."""

    stage: Stage
    seen: str
    fault: str = ""
    certificate: Certificate | None = field(default=None, compare=False)


class _Fault(Exception):
    """Ends the diagnosis, with what was seen and the sentence to show."""

    def __init__(self, seen: str, sentence: str) -> None:
        super().__init__(sentence)
        self.seen, self.sentence = seen, sentence


def diagnose(hop: Hop) -> Iterator[Finding]:
    """Runs the stages and stops at the first fault. Takes up to a minute."""
    stage = Stage.NAME
    try:
        address = _address(hop)
        yield Finding(stage, str(address))
        stage = Stage.CONNECT
        with _greeted(address, hop) as client:
            yield Finding(stage, client.greeting)
            stage = Stage.STARTTLS
            _check_offers_tls(client)
            yield Finding(stage, "STARTTLS")
            stage = Stage.CERTIFICATE
            yield _certificate(client, hop)
            stage = Stage.LIMITS
            yield _limits(client)
    except _Fault as fault:
        certificate = _shown(address, hop) if stage is Stage.CERTIFICATE else None
        yield Finding(stage, fault.seen, fault.sentence, certificate)
    except ClientError as error:
        yield Finding(stage, str(error), _SILENCES[stage].format(hop=hop))


def _address(hop: Hop) -> IPv4Address | IPv6Address:
    """Returns the address to dial, resolved once, so that it cannot change in between."""
    try:
        found = [ip_address(hop.host)]
    except ValueError:
        found = list(_looked_up(hop.host))
    if not found:
        raise _Fault("", f"{hop.host} has no address in DNS. Check its spelling.")
    public = [address for address in found if ssrf_protection.may_dial(address)]
    if not public:
        raise _Fault(
            str(found[0]),
            f"{hop.host} leads to {found[0]}, which cannot be reached from outside. "
            "Enter the public name of your mail server.",
        )
    return public[0]


def _looked_up(host: str) -> list[IPv4Address | IPv6Address]:
    try:
        return dns.addresses(host)
    except dns.DnsUnavailable as error:
        raise _Fault("", f"The name servers for {host} do not answer.") from error


def _greeted(address: IPv4Address | IPv6Address, hop: Hop) -> BoundedClient:
    with ExitStack() as unless_greeted:
        client = unless_greeted.enter_context(
            BoundedClient.open(str(address), hop.port)
        )
        code, lines = client.read_reply()
        if code != 220:
            raise _Fault(lines[0], f"{hop} answered, but not as an open mail server.")
        client.greeting = lines[0]
        unless_greeted.pop_all()
        return client


def _check_offers_tls(client: BoundedClient) -> None:
    offered = _extensions(client)
    if "STARTTLS" not in offered:
        raise _Fault(
            ", ".join(offered),
            "Your server does not offer STARTTLS. Switch TLS on for incoming mail.",
        )
    code, lines = client.ask("STARTTLS")
    if code != 220:
        raise _Fault(lines[0], "Your server offers STARTTLS but refuses it.")


def _certificate(client: BoundedClient, hop: Hop) -> Finding:
    try:
        protection = Protection.find_now(hop)
        client.secure(protection.context(), protection.server_name)
        protection.check(client.secured)
    except ConversationError as error:
        raise _Fault(error.reply.text, _dns_fault(error, hop)) from error
    except ssl.SSLCertVerificationError as error:
        raise _Fault(error.verify_message, _distrust(error, hop)) from error
    except ssl.SSLError as error:
        raise _Fault(
            tls_faults.of_handshake(error),
            f"No encryption could be agreed: {tls_faults.of_handshake(error)}. Your "
            "server must offer TLS 1.2 or later.",
        ) from error
    shown = Certificate.of(client.certificate())
    seen = f"{client.tls_version}, for {shown.shown_names}, {shown.days_left} days left"
    return Finding(Stage.CERTIFICATE, seen, certificate=shown)


def _dns_fault(error: ConversationError, hop: Hop) -> str:
    """Returns what is wrong with what the DNS says about the certificate."""
    if error.reply == NO_DNSSEC_ANSWER:
        return _SILENCES[Stage.NAME].format(hop=hop)
    if error.reply == DNSSEC_BOGUS:
        return (
            f"The DNSSEC signatures of {hop.host} fail, so that its DNS cannot be "
            "trusted. Sign the zone again."
        )
    return (
        f"The TLSA records of {hop.host} are not for your server's certificate: "
        f"{error.__cause__}. Publish records for this certificate, or install the one "
        "that they name."
    )


def _distrust(error: ssl.SSLCertVerificationError, hop: Hop) -> str:
    """X509_V_ERR numbers of OpenSSL, those that an administrator can do something about."""
    match error.verify_code:
        case 10:
            return "Your server's certificate has expired. Renew it."
        case 9:
            return "Your server's certificate is not valid yet. Check its dates."
        case 18 | 19 | 20 | 21:
            return (
                "Your server's certificate is not from an authority that we trust, or "
                "the intermediate certificates are missing. Install the full chain."
            )
        case 62 | 64:
            return (
                f"Your server's certificate is not for {hop.tls_name}. Use one for that "
                "name, or change the name in your connection's settings."
            )
    return f"Your server's certificate cannot be trusted: {tls_faults.of_certificate(error)}."


def _limits(client: BoundedClient) -> Finding:
    offered = _extensions(client)
    client.ask("QUIT")
    sizes = [line.split()[1:] for line in offered if line.startswith("SIZE")]
    size = int(sizes[0][0]) if sizes and sizes[0] and sizes[0][0].isdecimal() else 0
    seen = f"Messages up to {size // 1_048_576} MB" if size else "No limit stated"
    fault = "" if not size or size >= SIZE_WANTED else _too_small(size)
    return Finding(Stage.LIMITS, seen, fault)


def _too_small(size: int) -> str:
    return (
        f"Your server takes messages up to {size // 1_048_576} MB only. Members send "
        f"up to {SIZE_WANTED // 1_048_576} MB: allow as much."
    )


def _extensions(client: BoundedClient) -> list[str]:
    code, lines = client.ask(f"EHLO {settings.POSTERN.smtp_name}")
    if code != 250:
        raise _Fault(lines[0], "Your server refuses EHLO, with which mail begins.")
    return [line.upper() for line in lines[1:]]


def _shown(address: IPv4Address | IPv6Address, hop: Hop) -> Certificate | None:
    """Reads the certificate that was not trusted, to show its names."""
    try:
        with _greeted(address, hop) as client:
            _check_offers_tls(client)
            client.secure(tls.trusting_context(), hop.tls_name)
            return Certificate.of(client.certificate())
    except (ClientError, _Fault, OSError, ValueError):
        return None


_SILENCES = {
    Stage.NAME: "{hop} cannot be looked up.",
    Stage.CONNECT: "{hop} does not answer. Let our server through your firewall.",
    Stage.STARTTLS: "{hop} closed the connection before TLS started.",
    Stage.CERTIFICATE: "{hop} closed the connection while TLS started.",
    Stage.LIMITS: "{hop} closed the connection after TLS started.",
}
