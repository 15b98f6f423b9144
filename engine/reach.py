"""Which addresses we may dial when a member names a host: never our own inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from django.conf import settings

# IPv4 addresses in IPv6 clothes (RFC 6052 §2.1, RFC 8215), which is_global believes.
TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def may_dial(address: IPv4Address | IPv6Address) -> bool:
    """True for public ones, and for what POSTERN_NEXT_HOP_NETWORKS names."""
    return is_public(address) or any(
        address in network for network in settings.POSTERN.next_hop_networks
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of somebody's on the internet that stands for itself."""
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo
    ):
        return False
    if address.version == 6 and any(address in network for network in TRANSLATED):
        return False
    return address.is_global and not address.is_multicast
