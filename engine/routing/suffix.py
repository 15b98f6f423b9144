"""Maps addresses between an organisation's own domains and the community's.

By explicit pairs and never by string surgery, because real communities have exceptions
such as `org.com` ↔ `org.secure.example`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address


class AmbiguousPairError(ValueError):
    """A domain is in two pairs, so that a mapping could not be reversed."""


@dataclass(frozen=True, slots=True)
class DomainMap:
    """One organisation's pairs of (member domain, community domain).

    All are A-labels in lower case.

    Both mappings leave an address alone whose domain they do not know, are idempotent,
    and undo each other: `to_community(to_member(a)) == a` for an address in community
    form, `to_member(to_community(a)) == a` for one in member form. They raise
    InvalidAddressError where the address would pass 254 octets.
    """

    pairs: frozenset[tuple[str, str]] = frozenset()
    _community: dict[str, str] = field(init=False, repr=False, compare=False)
    _member: dict[str, str] = field(init=False, repr=False, compare=False)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> DomainMap:
        """Makes a map. Raises AmbiguousPairError where a domain is in two pairs."""
        return cls(frozenset(pairs))

    def __post_init__(self) -> None:
        community = dict(self.pairs)
        member = {there: here for here, there in self.pairs}
        if len(community) != len(self.pairs) or len(member) != len(self.pairs):
            raise AmbiguousPairError("A domain stands in two pairs.")
        chained = [d for d in community.keys() & member.keys() if community[d] != d]
        if chained:
            raise AmbiguousPairError(f"{chained[0]} is on both sides of the map.")
        object.__setattr__(self, "_community", community)
        object.__setattr__(self, "_member", member)

    def to_community(self, address: Address) -> Address:
        """The address under which the whole community knows this one."""
        return _moved(address, self._community)

    def to_member(self, address: Address) -> Address:
        """The address that its own organisation's server knows."""
        return _moved(address, self._member)

    def covers(self, address: Address) -> bool:
        """True where the address is in one of these domains, in either form."""
        return address.domain in self._community or address.domain in self._member


def _moved(address: Address, mapping: dict[str, str]) -> Address:
    domain = mapping.get(address.domain)
    if domain is None or domain == address.domain:
        return address
    return address.at(domain)
