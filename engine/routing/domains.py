"""Every verified domain pair: which organisation's it is, and its form on either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.mail.address import Address
from engine.mail.lookalike import readable_domain, skeleton
from engine.routing.facts import DomainFacts
from engine.routing.persistent import Index, Map, moves
from engine.routing.suffix import AmbiguousPairError, DomainMap


@dataclass(frozen=True, slots=True)
class Domains:
    """The pairs of all organisations. It maps like DomainMap, of which it is all."""

    rows: Map[int, DomainFacts] = field(default_factory=Map)
    members: Index[str] = field(default_factory=Index)
    communities: Index[str] = field(default_factory=Index)
    organisations: Index[int] = field(default_factory=Index)
    """Organisation to its pairs."""
    lookalikes: Index[str] = field(default_factory=Index)
    """What each domain looks like to a reader."""
    labels: Index[str] = field(default_factory=Index)
    """What the first label of each domain looks like."""

    def changed(self, rows: Mapping[int, DomainFacts | None]) -> Domains:
        """The same with these pairs set; None takes one out."""
        return Domains(
            rows=self.rows.changed(rows),
            members=self.members.changed(
                *moves(self.rows, rows, lambda row: [row.member_domain])
            ),
            communities=self.communities.changed(
                *moves(self.rows, rows, lambda row: [row.community_domain])
            ),
            organisations=self.organisations.changed(
                *moves(self.rows, rows, lambda row: [row.organisation_id])
            ),
            lookalikes=self.lookalikes.changed(*moves(self.rows, rows, _lookalikes)),
            labels=self.labels.changed(*moves(self.rows, rows, _labels)),
        )

    def to_community(self, address: Address) -> Address:
        """The address under which the whole community knows this one.

        Raises InvalidAddressError where it would be longer than 254 octets.
        """
        if self._is_community(address.domain):
            return address
        row = self._row(self.members.first(address.domain))
        return address if row is None else address.at(row.community_domain)

    def to_member(self, address: Address) -> Address:
        """The address that its own organisation's server knows.

        Raises InvalidAddressError where it would be longer than 254 octets.
        """
        row = self._row(self.communities.first(address.domain))
        if row is None or row.member_domain == address.domain:
            return address
        return address.at(row.member_domain)

    def covers(self, address: Address) -> bool:
        """True where the address is in one of these domains, in either form."""
        domain = address.domain
        return self._is_community(domain) or self.members.first(domain) is not None

    def owner_of(self, community_domain: str) -> int | None:
        """The organisation that has a domain, in community form."""
        row = self._row(self.communities.first(community_domain))
        return None if row is None else row.organisation_id

    def own(self, organisation_id: int) -> DomainMap:
        """One organisation's pairs; none where they contradict each other.

        Then nothing can be sent from them, which is better than mail under an address
        that maps back to another one.
        """
        ids = self.organisations.every(organisation_id)
        rows = [self.rows[row_id] for row_id in ids]
        try:
            return DomainMap.of((r.member_domain, r.community_domain) for r in rows)
        except AmbiguousPairError:
            return DomainMap()

    def names_of(self, organisation_id: int) -> frozenset[str]:
        """One organisation's domains, in both forms."""
        rows = [self.rows[one] for one in self.organisations.every(organisation_id)]
        return frozenset(
            name for row in rows for name in (row.member_domain, row.community_domain)
        )

    def owner_of_lookalike(self, domain: str) -> int | None:
        """The organisation for whose domain a reader takes this one, if any.

        A whole domain comes before a first label, and the pair that is older before one
        that is newer.
        """
        looks = skeleton(readable_domain(domain))
        found = self.lookalikes.first(looks)
        row = self._row(self.labels.first(looks) if found is None else found)
        return None if row is None else row.organisation_id

    def _is_community(self, domain: str) -> bool:
        return self.communities.first(domain) is not None

    def _row(self, row_id: int | None) -> DomainFacts | None:
        return None if row_id is None else self.rows.get(row_id)


def _names(row: DomainFacts) -> set[str]:
    return {readable_domain(row.member_domain), readable_domain(row.community_domain)}


def _lookalikes(row: DomainFacts) -> set[str]:
    return {skeleton(name) for name in _names(row)}


def _labels(row: DomainFacts) -> set[str]:
    return {skeleton(name.partition(".")[0]) for name in _names(row)}
