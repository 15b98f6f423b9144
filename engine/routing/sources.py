"""Which connection or cloud provider a source address belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from engine.registry.connections.cloud_providers import PROVIDERS, ProviderFacts
from engine.registry.models import Provider
from engine.registry.networks import Network
from engine.routing.persistent import Index, Map

IPAddress: TypeAlias = IPv4Address | IPv6Address
Claim: TypeAlias = tuple[Network, int]
"""A network, and the id of the connection that proves itself by it."""
# IP version and prefix length
Length: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SourceIndex:
    """Networks by prefix length, so that a look-up takes one step for each length.

    A network that two connections claim proves neither.
    """

    owners: Index[tuple[int, int, int]] = field(default_factory=Index)
    """(IP version, prefix length, prefix) to connections."""
    counts: Map[Length, int] = field(default_factory=Map)
    """How many claims have a length."""
    lengths: tuple[Length, ...] = ()
    """The lengths that occur, the most exact first."""

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> SourceIndex:
        """Index networks, each with its connection."""
        return cls().changed((), claims)

    def changed(self, less: Iterable[Claim], more: Iterable[Claim]) -> SourceIndex:
        """The index without some claims and with others."""
        gone, come = set(less), set(more)
        if gone == come:
            return self
        owners = self.owners.changed(map(_claim, gone), map(_claim, come))
        moved = Counter(_length(network) for network, _ in come)
        moved.subtract(_length(network) for network, _ in gone)
        counts = self.counts.changed(
            # A length without claims is taken out, for each costs every look-up a step.
            {at: self.counts.get(at, 0) + more or None for at, more in moved.items()},
        )
        return SourceIndex(owners, counts, tuple(sorted(counts, reverse=True)))

    def find(self, address: IPAddress) -> int | None:
        """The connection with the most exact network around the address."""
        # An IPv4 peer of an IPv6 socket is still that IPv4 address.
        address = getattr(address, "ipv4_mapped", None) or address
        for version, length in self.lengths:
            if version == address.version:
                key = (version, length, _prefix(address, length))
                # The most exact network decides, also where its claims contradict each
                # other: otherwise the owner of a wider network could prove itself from
                # a disputed one.
                if self.owners.claims.get(key) is not None:
                    return self.owners.only(key)
        return None


def _length(network: Network) -> Length:
    return network.version, network.prefixlen


def _claim(claim: Claim) -> tuple[tuple[int, int, int], int]:
    network, connection_id = claim
    prefix = _prefix(network.network_address, network.prefixlen)
    return (network.version, network.prefixlen, prefix), connection_id


def _prefix(address: IPAddress, length: int) -> int:
    return int(address) >> max(address.max_prefixlen - length, 0)


@dataclass(frozen=True, slots=True)
class SourceClasses:
    """From which cloud provider's servers a session may come."""

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
