"""DNS lookups with a cache: MX, TXT and address records."""

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

# Seconds for one lookup, over all servers that are asked.
TIMEOUT_SECONDS = 5.0
# RFC 9715 §3.1: a UDP answer of this size is not fragmented on its way.
EDNS_PAYLOAD = 1232
PORT = 53
CACHED_ANSWERS = 10_000


class DnsUnavailable(Exception):
    """No server answered; the same lookup may succeed later."""


@dataclass(frozen=True, slots=True, order=True)
class MailExchanger:
    """An MX record. An empty host means that the domain accepts no mail (RFC 7505)."""

    preference: int
    host: str


def mx(domain: str) -> list[MailExchanger]:
    """Returns the domain's mail exchangers, preferred first. Raises DnsUnavailable."""
    records = _query(domain, "MX")
    return sorted(
        MailExchanger(record.preference, record.exchange.to_text(True).strip("."))
        for record in records
    )


def flush_cache() -> None:
    """Forgets all cached answers, for a user who has just changed a record."""
    _resolver(tuple(settings.POSTERN.dns_servers)).cache.flush()


def txt(name: str) -> list[str]:
    """Returns the TXT records of a name, each as one string. Raises DnsUnavailable."""
    return [
        b"".join(record.strings).decode(errors="replace")
        for record in _query(name, "TXT")
    ]


def addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """Returns a host's IPv4 and IPv6 addresses. Raises DnsUnavailable."""
    records = [*_query(host, "A"), *_query(host, "AAAA")]
    return [ip_address(record.address) for record in records]


def _query(name: str, kind: str) -> Sequence[Any]:
    answer = _answer(name, kind)
    return [] if answer is None else list(answer)


def _answer(name: str, kind: str) -> dns.resolver.Answer | None:
    """Returns None for a name that does not exist, is malformed or has no such record."""
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
    """Returns the resolver for these servers, or for the system's, with its cache."""
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [name_server(text) for text in servers]
    resolver.lifetime = TIMEOUT_SECONDS
    resolver.cache = dns.resolver.LRUCache(CACHED_ANSWERS)
    resolver.use_edns(0, dns.flags.DO, EDNS_PAYLOAD)
    return resolver


def name_server(text: str) -> dns.nameserver.Do53Nameserver:
    """Returns the server at a host and port, in the form of POSTERN_DNS_SERVERS."""
    parts = urlsplit(f"//{text}")
    return dns.nameserver.Do53Nameserver(parts.hostname or "", parts.port or PORT)
