"""Which connection or cloud provider a source address belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from engine.registry.connections.cloud_providers import PROVIDERS, ProviderFacts
from engine.registry.models import Provider
from engine.registry.networks import Network

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


@dataclass(frozen=True, slots=True)
class SourceClasses:
    """From which provider's servers a session may come."""

    indexes: Mapping[Provider, SourceIndex]

    @classmethod
    def of(cls, networks: Iterable[tuple[Provider, Network]]) -> SourceClasses:
        """Index networks as looked up; a provider without any keeps its built-in ones."""
        found: dict[Provider, list[Network]] = {provider: [] for provider in PROVIDERS}
        for provider, network in networks:
            found[provider].append(network)
        return cls(
            {
                provider: SourceIndex.of(
                    (network, 0) for network in own or PROVIDERS[provider].networks
                )
                for provider, own in found.items()
            }
        )

    def covers(self, address: IPAddress) -> bool:
        """Whether the address is in some provider's networks, whatever it can show."""
        return any(index.find(address) is not None for index in self.indexes.values())

    def of_peer(self, address: IPAddress, names: frozenset[str]) -> frozenset[Provider]:
        """The providers that this address and this certificate can belong to."""
        return frozenset(
            provider
            for provider, index in self.indexes.items()
            if index.find(address) is not None and _shows(PROVIDERS[provider], names)
        )


def _shows(facts: ProviderFacts, names: frozenset[str]) -> bool:
    if not names:
        return not facts.must_show_certificate
    return not facts.certificate_names.isdisjoint(names)
