"""Which connection a source address belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from engine.registry.facts import Network

IPAddress: TypeAlias = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class SourceIndex:
    """Networks by prefix length, so that a look-up takes one step a length.

    A network that two connections claim proves neither.
    """

    lengths: tuple[tuple[int, int], ...]
    """(IP version, prefix length), the most exact first."""
    owners: dict[tuple[int, int, int], int | None]
    """(IP version, prefix length, prefix) to connection; None where it is disputed."""

    @classmethod
    def of(cls, claims: Iterable[tuple[Network, int]]) -> SourceIndex:
        """Index (network, connection) pairs."""
        owners: dict[tuple[int, int, int], int | None] = {}
        for network, connection_id in claims:
            prefix = _prefix(network.network_address, network.prefixlen)
            key = (network.version, network.prefixlen, prefix)
            if owners.setdefault(key, connection_id) != connection_id:
                owners[key] = None
        lengths = sorted({key[:2] for key in owners}, reverse=True)
        return cls(tuple(lengths), owners)

    def find(self, address: IPAddress) -> int | None:
        # A v4 peer of a v6 socket is still that v4 address.
        address = getattr(address, "ipv4_mapped", None) or address
        for version, length in self.lengths:
            key = (version, length, _prefix(address, length))
            if version == address.version and key in self.owners:
                return self.owners[key]
        return None


def _prefix(address: IPAddress, length: int) -> int:
    return int(address) >> max(address.max_prefixlen - length, 0)
