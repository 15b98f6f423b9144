"""Where a probe may go: servers of others on the open internet, never our own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings

from engine import dns
from engine.reach import is_public


def addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """The host's addresses that a probe may dial, IPv4 first. Raises DnsUnavailable.

    Dial these and not the name: a second look-up may say something else.
    """
    found = sorted(_addresses(host), key=lambda address: address.version)
    if settings.POSTERN.probe_private_addresses:
        return found
    return [address for address in found if is_public(address)]


def _addresses(host: str) -> list[IPv4Address | IPv6Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        return dns.addresses(host)
