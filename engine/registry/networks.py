"""IP networks: the type, and the network that one customer of a provider controls."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

# The smallest network that one customer of a provider controls: a /64 in IPv6
# (RFC 6177), and in IPv4 what an office or a provider's pool seldom exceeds.
PREFIX_V4 = 24
PREFIX_V6 = 64


def network_of(peer: str) -> str:
    """Returns the network of an IP address, such as `192.0.2.0/24`.

    An IPv4 address mapped into IPv6 counts as IPv4. Returns the empty string for
    anything that is not an address.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = PREFIX_V6 if isinstance(address, IPv6Address) else PREFIX_V4
    return str(ip_network((address, prefix), strict=False))
