"""Resolves a host to the public addresses that we may dial, never our own network's."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings

from engine.network import dns
from engine.network.ssrf_protection import is_public


def addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """Returns the host's addresses that may be dialled, IPv4 first. Raises DnsUnavailable.

    Dial these and not the name: a second lookup may return a private address instead
    (DNS rebinding).
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
