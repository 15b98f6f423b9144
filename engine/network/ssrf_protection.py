"""Decides which addresses may be dialled when a member names a host.

Webhooks, next hops and diagnoses connect to hosts of the members' choice. Without this
check a member could reach our internal network through us (server-side request forgery).
Check the address that is dialled and not the name, which may resolve differently a moment
later (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from django.conf import settings

from engine.network.special_purpose_addresses import BLOCKS, GLOBAL_UNICAST

# IPv6 prefixes whose last 32 bits are an IPv4 address: deprecated IPv4-compatible and
# IPv4-mapped (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1), NAT64 (RFC 6052 §2.1).
_WITH_IPV4_LAST = (
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b::/96"),
)


def may_dial(address: IPv4Address | IPv6Address) -> bool:
    """Returns whether it is public or in one of POSTERN_NEXT_HOP_NETWORKS."""
    return is_public(address) or any(
        address in network for network in settings.POSTERN.next_hop_networks
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Returns whether IANA's registries list it as globally reachable unicast.

    An IPv6 address with IPv4 addresses embedded is public only if all of those are,
    because gateways forward its packets to them.
    """
    inner = list(_embedded(address))
    if inner:
        return all(map(is_public, inner))
    if address.is_multicast:
        return False
    for network, reachable in BLOCKS:
        if address in network:
            return reachable
    return address.version == 4 or address in GLOBAL_UNICAST


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """Yields the IPv4 addresses that packets for this address may be forwarded to."""
    if isinstance(address, IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        # Server and client (RFC 4380 §4): either may be in our network.
        yield from address.teredo
    if any(address in network for network in _WITH_IPV4_LAST):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
