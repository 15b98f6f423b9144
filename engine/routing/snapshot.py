"""What every address means, at one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import Proof, Provider
from engine.registry.networks import Network
from engine.routing.facts import (
    ConnectionFacts,
    ConnectionRow,
    ListFacts,
    OrganisationFacts,
)
from engine.routing.persistent import Map
from engine.routing.resolution import Resolution
from engine.routing.sources import IPAddress, SourceClasses
from engine.routing.tables import Allowances


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes(Resolution):
    """The registry as committed at one moment; `engine.routing.rows` reads it.

    Each part holds rows as the database has them, and what follows from several rows is
    asked at look-up: suspending an organisation of 50,000 people changes one row here
    too. Strings that name addresses are keys (`Address.key`) in community form.
    """

    stopped: frozenset[int] = frozenset()
    """Organisations with a sender that an operator has stopped: most often none, which
    every message asks."""
    grants: Map[int, frozenset[int]] = field(default_factory=Map)
    """Group mailboxes that a person may send from, active or not."""
    allowances: Allowances = field(default_factory=Allowances)
    provider_networks: Map[int, tuple[Provider, tuple[Network, ...]]] = field(
        default_factory=Map
    )
    """As looked up; what follows from them is in `source_classes`."""
    configured_networks: Mapping[str, Collection[Network]] | None = None
    """POSTERN_PROVIDER_NETWORKS as it was read; tests change it in a running process."""
    source_classes: SourceClasses = field(default_factory=lambda: SourceClasses.of(()))
    # Of connections that were asked for: a message asks for its own several times.
    _facts: dict[int, ConnectionFacts] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def with_organisations(self, rows: Mapping[int, OrganisationFacts | None]) -> Self:
        """The same with these organisations set; None takes one out."""
        now = {row_id for row_id, facts in rows.items() if facts and facts.stops}
        return replace(
            self,
            organisations=self.organisations.changed(rows),
            stopped=self.stopped.difference(rows) | now,
        )

    def is_inside(self, address: Address) -> bool:
        """Whether the address's domain is an organisation's, in either form."""
        return self.domains.covers(address)

    def organisation_of(self, address: Address) -> int | None:
        """Returns the organisation that has the address's domain, in either form."""
        try:
            return self.domains.owner_of(self.domains.to_community(address).domain)
        except InvalidAddressError:
            return None

    def owner_of_host(self, address: Address) -> int | None:
        """Returns the organisation whose server an address outside every domain is on.

        By the host's name, that of the nearest domain above it: a member's domain may
        lie below another member's. None for an address that is inside, which is no host's.
        """
        if self.is_inside(address):
            return None
        above = address.domain
        while "." in above:
            above = above.partition(".")[2]
            # The host alone: with a long local part a nearer domain could be passed
            # over, as one whose address would grow too long.
            owner = self.organisation_of(Address("postmaster", above))
            if owner is not None:
                return owner
        return None

    def connection(self, connection_id: int) -> ConnectionFacts | None:
        """Returns a connection with its organisation's facts; None where it is gone."""
        if connection_id not in self._facts:
            row = self.connections.rows.get(connection_id)
            if row is None:
                return None
            self._facts[connection_id] = self._facts_of(row)
        return self._facts[connection_id]

    def _facts_of(self, row: ConnectionRow) -> ConnectionFacts:
        organisation = self.organisations[row.organisation_id]
        domains = self.domains.own(row.organisation_id)
        return ConnectionFacts.of(row, organisation, domains)

    def connection_for_source(self, address: IPAddress) -> ConnectionFacts | None:
        """Returns the one connection that this source address proves, if any."""
        connection_id = self.connections.sources.find(address)
        return None if connection_id is None else self.connection(connection_id)

    def is_known_source(self, address: IPAddress) -> bool:
        """Whether an address is a member's own server's, or a cloud provider's."""
        is_members = self.connections.sources.find(address) is not None
        return is_members or self.source_classes.covers(address)

    def connection_for_certificate(
        self, names: Iterable[str]
    ) -> ConnectionFacts | None:
        """Returns the one connection that a certificate with these names proves."""
        connection_id = self.connections.by_certificate(names)
        return None if connection_id is None else self.connection(connection_id)

    def cloud_connections(
        self, providers: frozenset[Provider], address: Address
    ) -> tuple[ConnectionFacts, ...]:
        """Returns the sender's organisation's connections at these providers."""
        owner = self.organisation_of(address)
        if owner is None:
            return ()
        return tuple(
            self._facts_of(row)
            for row in self.connections.of_organisation(owner)
            if row.proof == Proof.CLOUD and row.provider in providers
        )

    def list(self, list_id: int) -> ListFacts | None:
        """Returns a distribution list; None where it is gone."""
        return self.lists.rows.get(list_id)

    def is_mailbox_of(self, organisation_id: int | None, key: str) -> bool:
        """Whether an organisation has a mailbox with the address here that is open."""
        mailbox_id = self.mailboxes.addresses.first(key)
        if mailbox_id is None or self.mailboxes.rows[mailbox_id][1] != organisation_id:
            return False
        return self.is_open(mailbox_id)

    def is_suspended(self, address: Address | None, person_id: int | None) -> bool:
        """Whether the sender, known by id or else by address, is suspended."""
        if person_id is not None:
            row = self.people.rows.get(person_id)
            return row is not None and not row[2]
        if address is None:
            return False
        try:
            return self.is_suspended_key(self.domains.to_community(address).key)
        except InvalidAddressError:
            return False

    def address_of(self, person_id: int) -> str | None:
        """Returns the key of a person's own address; None unless they may send mail.

        They may while they and their organisation are active.
        """
        address, organisation_id, is_active = self.people.rows.get(
            person_id, (None, None, False)
        )
        if organisation_id is None or not is_active:
            return None
        return address if self.organisations[organisation_id].is_active else None

    def person_senders(self, person_id: int) -> frozenset[str]:
        """Returns the keys of addresses that a person may send from; none when suspended."""
        own = self.address_of(person_id)
        if own is None:
            return frozenset()
        found = [own]
        for mailbox_id in self.grants.get(person_id, frozenset()):
            row = self.mailboxes.rows.get(mailbox_id)
            if row is not None and row[3]:
                found.append(row[0])
        return frozenset(found)
