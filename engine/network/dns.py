"""What the domain name system says: mail exchangers, texts, addresses, TLSA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.nameserver
import dns.resolver
from django.conf import settings

# Seconds for one question, whatever servers are asked.
PATIENCE = 5.0
# RFC 9715 §3.1: an answer of this size is not cut up on its way.
PAYLOAD = 1232
PORT = 53
KEPT_ANSWERS = 10_000


class DnsUnavailable(Exception):
    """No server gave an answer; the same question may have one later."""


@dataclass(frozen=True, slots=True, order=True)
class MailExchanger:
    """Where a domain takes mail. An empty host says that it takes none (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """A certificate that a host pins (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


def mx(domain: str) -> list[MailExchanger]:
    """The domain's mail exchangers, the preferred first. Raises DnsUnavailable."""
    records = _ask(domain, "MX")
    return sorted(
        MailExchanger(record.preference, record.exchange.to_text(True).strip("."))
        for record in records
    )


def forget() -> None:
    """Ask again from here on: somebody has just changed what the name system says."""
    _resolver(tuple(settings.POSTERN.dns_servers)).cache.flush()


def txt(name: str) -> list[str]:
    """The texts at a name, the strings of each joined. Raises DnsUnavailable."""
    return [
        b"".join(record.strings).decode(errors="replace")
        for record in _ask(name, "TXT")
    ]


def addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """A host's addresses, of both kinds. Raises DnsUnavailable."""
    records = [*_ask(host, "A"), *_ask(host, "AAAA")]
    return [ip_address(record.address) for record in records]


def tlsa(host: str, port: int) -> list[TlsaRecord]:
    """What a host pins, where the resolver vouches for it. Raises DnsUnavailable.

    Without DNSSEC such a record proves nothing (RFC 7672 §2.1), and is as if not there.
    """
    answer = _answer(f"_{port}._tcp.{host}", "TLSA")
    if answer is None or not answer.response.flags & dns.flags.AD:
        return []
    return [
        TlsaRecord(record.usage, record.selector, record.mtype, record.cert)
        for record in answer
    ]


def _ask(name: str, kind: str) -> Sequence[Any]:
    answer = _answer(name, kind)
    return [] if answer is None else list(answer)


def _answer(name: str, kind: str) -> dns.resolver.Answer | None:
    """None where there is nothing of the kind, or the name cannot be one."""
    resolver = _resolver(tuple(settings.POSTERN.dns_servers))
    try:
        return resolver.resolve(f"{name}.", kind, search=False, raise_on_no_answer=True)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except (dns.resolver.NoNameservers, dns.exception.Timeout, OSError) as error:
        raise DnsUnavailable(f"{kind} of {name}: {error}") from error
    except (dns.exception.DNSException, UnicodeError):
        return None


@lru_cache(maxsize=8)
def _resolver(servers: tuple[str, ...]) -> dns.resolver.Resolver:
    """One for each set of servers, with what it has heard already."""
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [_server(text) for text in servers]
    resolver.lifetime = PATIENCE
    resolver.cache = dns.resolver.LRUCache(KEPT_ANSWERS)
    resolver.use_edns(0, dns.flags.DO, PAYLOAD)
    return resolver


def _server(text: str) -> dns.nameserver.Do53Nameserver:
    parts = urlsplit(f"//{text}")
    return dns.nameserver.Do53Nameserver(parts.hostname or "", parts.port or PORT)
