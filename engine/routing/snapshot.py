"""What every address means, at one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.registry.models import OrganisationStatus, Proof, Provider
from engine.registry.networks import Network
from engine.routing.connections import Connections
from engine.routing.domains import Domains
from engine.routing.facts import (
    ConnectionFacts,
    ConnectionRow,
    ListFacts,
    OrganisationFacts,
    Route,
    RouteKind,
)
from engine.routing.persistent import Map
from engine.routing.refusals import (
    ClosedRecipientError,
    LoopError,
    SuspendedRecipientError,
    UnknownRecipientError,
)
from engine.routing.sources import IPAddress, SourceClasses
from engine.routing.tables import Aliases, Allowances, Lists, Mailboxes, People

# How many aliases may lead to one another.
ALIAS_HOP_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The registry as committed at one moment; `engine.routing.rows` reads it.

    Each part holds rows as the database has them, and what follows from several rows is
    asked at look-up: suspending an organisation of 50,000 people changes one row here
    too. Strings that name addresses are keys (`Address.key`) in community form.
    """

    organisations: Map[int, OrganisationFacts] = field(default_factory=Map)
    domains: Domains = field(default_factory=Domains)
    connections: Connections = field(default_factory=Connections)
    people: People = field(default_factory=People)
    mailboxes: Mailboxes = field(default_factory=Mailboxes)
    grants: Map[int, frozenset[int]] = field(default_factory=Map)
    """Group mailboxes that a person may send from, active or not."""
    aliases: Aliases = field(default_factory=Aliases)
    lists: Lists = field(default_factory=Lists)
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

    def resolve(self, address: Address) -> Route:
        """Finds where mail to an address goes, in either of its forms.

        Exact rows come before the domain's relaying. Raises UnknownRecipientError (550
        5.1.1), SuspendedRecipientError or ClosedRecipientError (550 5.2.1), LoopError
        (554 5.4.6), or PermanentFailure (553 5.1.3) when the suffix makes it too long.
        """
        try:
            return self._resolve_community(self.domains.to_community(address), address)
        except InvalidAddressError as error:
            raise PermanentFailure(smtp_replies.BAD_RECIPIENT) from error

    def _resolve_community(self, address: Address, written: Address) -> Route:
        address = self._follow_aliases(address, written)
        mailbox_id = self.mailboxes.addresses.first(address.key)
        if mailbox_id is not None:
            return self._to_mailbox(address, mailbox_id)
        list_id = self.lists.addresses.first(address.key)
        if list_id is not None:
            return self._to_list(address, list_id, RouteKind.LIST)
        list_id = self.lists.bounces.first(address.key)
        if list_id is not None:
            return self._to_list(address, list_id, RouteKind.BOUNCES)
        # After the exact look-ups: an address that has a plus of its own is no detail.
        whole = _without_detail(address)
        mailbox_id = self.mailboxes.addresses.first(whole.key)
        if mailbox_id is not None:
            return self._to_mailbox(whole, mailbox_id)
        return self._to_connection(address, written)

    def _follow_aliases(self, address: Address, written: Address) -> Address:
        for _ in range(ALIAS_HOP_LIMIT):
            target = self.aliases.target_of(address.key)
            if target is None:
                return address
            # The organisation of the alias counts as well as that of its target: mail
            # to an address of a suspended organisation must not arrive by a detour.
            owner = self.domains.owner_of(address.domain)
            if owner is not None:
                self._check_organisation(address, owner)
            address = Address.parse(target)
        raise LoopError(written)

    def _to_mailbox(self, address: Address, mailbox_id: int) -> Route:
        _, organisation_id, _, _ = self.mailboxes.rows[mailbox_id]
        self._check_organisation(address, organisation_id)
        if not self.is_open(mailbox_id):
            raise SuspendedRecipientError(address, "the mailbox is suspended")
        return Route(RouteKind.MAILBOX, address, organisation_id, mailbox_id=mailbox_id)

    def _to_list(self, address: Address, list_id: int, kind: RouteKind) -> Route:
        facts = self.lists.rows[list_id]
        self._check_organisation(address, facts.organisation_id)
        if not facts.is_active:
            raise SuspendedRecipientError(address, "the list is suspended")
        return Route(kind, address, facts.organisation_id, list_id=facts.id)

    def _to_connection(self, address: Address, written: Address) -> Route:
        organisation_id = self.domains.owner_of(address.domain)
        # A hosted organisation has no server that could know further addresses.
        if organisation_id is None or self.organisations[organisation_id].is_hosted:
            raise UnknownRecipientError(written)
        self._check_organisation(address, organisation_id)
        if self.is_suspended_key(address.key):
            raise SuspendedRecipientError(address, "the person's account is suspended")
        relay_id = self.connections.relay_of(organisation_id)
        if relay_id is None:
            name = self.organisations[organisation_id].name
            raise SuspendedRecipientError(address, f"{name} has no working connection")
        return Route(
            RouteKind.CONNECTION, address, organisation_id, connection_id=relay_id
        )

    def _check_organisation(self, address: Address, organisation_id: int) -> None:
        facts = self.organisations[organisation_id]
        match facts.status:
            case OrganisationStatus.ACTIVE:
                return
            case OrganisationStatus.CLOSED:
                raise ClosedRecipientError(address, facts.name)
            case OrganisationStatus.SUSPENDED:
                raise SuspendedRecipientError(address, f"{facts.name} is suspended")
            case OrganisationStatus.PENDING:
                raise SuspendedRecipientError(
                    address, f"{facts.name} is still being set up"
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

    def owner_of_lookalike(self, domain: str) -> int | None:
        """Returns the organisation whose domain a reader would take this one for.

        A domain without a dot is compared with the first labels of domains.
        """
        return self.domains.owner_of_lookalike(domain)

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

    def is_open(self, mailbox_id: int) -> bool:
        """Whether a mailbox and its owner, if it has one, are active."""
        _, _, owner_id, is_active = self.mailboxes.rows[mailbox_id]
        if not is_active or owner_id is None:
            return is_active
        # Changes arrive in slices. Until its owner is in the snapshot, a mailbox counts
        # as closed rather than open by mistake.
        _, _, owner_is_active = self.people.rows.get(owner_id, (None, None, False))
        return owner_is_active

    def is_mailbox_of(self, organisation_id: int | None, key: str) -> bool:
        """Whether an organisation has a mailbox with the address here that is open."""
        mailbox_id = self.mailboxes.addresses.first(key)
        if mailbox_id is None or self.mailboxes.rows[mailbox_id][1] != organisation_id:
            return False
        return self.is_open(mailbox_id)

    def is_suspended_key(self, key: str) -> bool:
        """Whether the address is a suspended person's own."""
        return self.people.suspended.first(key) is not None

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


def _without_detail(address: Address) -> Address:
    """The address without what follows a plus: `user+detail` is `user` (RFC 5233)."""
    user, plus, _ = address.local.partition("+")
    return Address(user, address.domain) if user and plus else address
