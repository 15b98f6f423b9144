"""Which addresses count as one network, where attempts are counted and places known."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

# What a provider gives one customer: RFC 6177 for IPv6; in IPv4 an office or a
# provider's pool seldom reaches further.
PREFIX_V4 = 24
PREFIX_V6 = 64


def network_of(peer: str) -> str:
    """The network of an IP address, such as `192.0.2.0/24`; empty for no address."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = PREFIX_V6 if isinstance(address, IPv6Address) else PREFIX_V4
    return str(ip_network((address, prefix), strict=False))
