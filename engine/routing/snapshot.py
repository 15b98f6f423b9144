"""What every address means, at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.mail.lookalike import readable_domain, skeleton
from engine.registry.models import OrganisationStatus, Proof, Provider
from engine.routing.allowances import Allowances
from engine.routing.facts import ConnectionFacts, ListFacts, Route, RouteKind
from engine.routing.refusals import (
    ClosedRecipientError,
    LoopError,
    SuspendedRecipientError,
    UnknownRecipientError,
)
from engine.routing.sources import IPAddress, SourceClasses, SourceIndex
from engine.routing.suffix import DomainMap

# How many aliases may lead to one another.
ALIAS_HOP_LIMIT = 10


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """An organisation as the mail engine sees it."""

    name: str
    status: OrganisationStatus
    is_hosted: bool
    relay_id: int | None
    """The connection by which its mail leaves; None where there is none at present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The registry at one moment, made by `engine.routing.rows`.

    Strings that name addresses are keys (`Address.key`) in community form.
    """

    domains: DomainMap
    owners: dict[str, int]
    """Community domain to organisation."""
    lookalikes: dict[str, int]
    """What each domain, and its first label, looks like, to organisation."""
    organisations: dict[int, OrganisationFacts]
    connections: dict[int, ConnectionFacts]
    sources: SourceIndex
    certificates: dict[str, int]
    source_classes: SourceClasses
    """Cloud providers by their servers' addresses and certificates."""
    mailboxes: dict[str, tuple[int, int, bool]]
    """Address to (mailbox, organisation, whether it and its owner are active)."""
    aliases: dict[str, str]
    lists: dict[int, ListFacts]
    lists_by_key: dict[str, int]
    bounces_by_key: dict[str, int]
    """Bounce address to the list whose it is."""
    suspended_people: frozenset[str]
    suspended_ids: frozenset[int]
    """The same people, by who they are: one may have written for a group."""
    people: dict[int, str]
    """Active people's own addresses."""
    group_senders: dict[int, frozenset[str]]
    """Which active group mailboxes a person may send from."""
    allowances: Allowances
    """Who may send more than usual."""

    def resolve(self, address: Address) -> Route:
        """Find where mail to an address goes, whichever of its forms is written.

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
        mailbox = self.mailboxes.get(address.key)
        if mailbox is not None:
            return self._to_mailbox(address, *mailbox)
        list_id = self.lists_by_key.get(address.key)
        if list_id is not None:
            return self._to_list(address, self.lists[list_id], RouteKind.LIST)
        list_id = self.bounces_by_key.get(address.key)
        if list_id is not None:
            return self._to_list(address, self.lists[list_id], RouteKind.BOUNCES)
        whole = _without_detail(address)
        if whole.key in self.mailboxes:
            return self._to_mailbox(whole, *self.mailboxes[whole.key])
        return self._to_connection(address, written)

    def _follow_aliases(self, address: Address, written: Address) -> Address:
        for _ in range(ALIAS_HOP_LIMIT):
            target = self.aliases.get(address.key)
            if target is None:
                return address
            self._check_owner(address)
            address = Address.parse(target)
        raise LoopError(written)

    def _to_mailbox(
        self, address: Address, mailbox_id: int, organisation_id: int, is_active: bool
    ) -> Route:
        self._check_organisation(address, organisation_id)
        if not is_active:
            raise SuspendedRecipientError(address, "the mailbox is suspended")
        return Route(RouteKind.MAILBOX, address, organisation_id, mailbox_id=mailbox_id)

    def _to_list(self, address: Address, facts: ListFacts, kind: RouteKind) -> Route:
        self._check_organisation(address, facts.organisation_id)
        if not facts.is_active:
            raise SuspendedRecipientError(address, "the list is suspended")
        return Route(kind, address, facts.organisation_id, list_id=facts.id)

    def _to_connection(self, address: Address, written: Address) -> Route:
        organisation_id = self.owners.get(address.domain)
        if organisation_id is None or self.organisations[organisation_id].is_hosted:
            raise UnknownRecipientError(written)
        self._check_organisation(address, organisation_id)
        if address.key in self.suspended_people:
            raise SuspendedRecipientError(address, "the person's account is suspended")
        facts = self.organisations[organisation_id]
        if facts.relay_id is None:
            raise SuspendedRecipientError(
                address, f"{facts.name} has no working connection"
            )
        return Route(
            RouteKind.CONNECTION,
            address,
            organisation_id,
            connection_id=facts.relay_id,
        )

    def _check_owner(self, address: Address) -> None:
        organisation_id = self.owners.get(address.domain)
        if organisation_id is not None:
            self._check_organisation(address, organisation_id)

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
        """True where the address's domain is some organisation's, in either form."""
        return self.domains.covers(address)

    def organisation_of(self, address: Address) -> int | None:
        """The organisation whose domain the address is in, in either form."""
        try:
            return self.owners.get(self.domains.to_community(address).domain)
        except InvalidAddressError:
            return None

    def owner_of_host(self, address: Address) -> int | None:
        """Whose server an address outside every domain is on, by the host's name.

        The organisation of the nearest domain above it: a member's domain may lie below
        another member's. None for an address that is inside, which is no host's.
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
        """The organisation for whose domain a reader takes this one, if there is any.

        Of a domain without a dot: the one whose domain begins so.
        """
        return self.lookalikes.get(skeleton(readable_domain(domain)))

    def connection(self, connection_id: int) -> ConnectionFacts | None:
        return self.connections.get(connection_id)

    def connection_for_source(self, address: IPAddress) -> ConnectionFacts | None:
        """The one connection that proves itself by this source address, if any."""
        connection_id = self.sources.find(address)
        return None if connection_id is None else self.connections[connection_id]

    def is_known_source(self, address: IPAddress) -> bool:
        """Whether an address is a member's own server's, or a cloud provider's."""
        return self.sources.find(address) is not None or self.source_classes.covers(
            address
        )

    def connection_for_certificate(
        self, names: Iterable[str]
    ) -> ConnectionFacts | None:
        """The one connection that proves itself by a certificate with these names."""
        found = {
            self.certificates[name]
            for name in map(str.casefold, names)
            if name in self.certificates
        }
        return self.connections[found.pop()] if len(found) == 1 else None

    def cloud_connections(
        self, providers: frozenset[Provider], address: Address
    ) -> tuple[ConnectionFacts, ...]:
        """The connections, at those providers, of whoever owns the address's domain."""
        owner = self.organisation_of(address)
        return tuple(
            facts
            for facts in self.connections.values()
            if owner is not None
            and facts.organisation_id == owner
            and facts.proof == Proof.CLOUD
            and facts.provider in providers
        )

    def list(self, list_id: int) -> ListFacts | None:
        return self.lists.get(list_id)

    def is_suspended(self, address: Address | None, person_id: int | None) -> bool:
        """True where the person who sent something, known by either, is suspended."""
        if person_id is not None:
            return person_id in self.suspended_ids
        if address is None:
            return False
        try:
            return self.domains.to_community(address).key in self.suspended_people
        except InvalidAddressError:
            return False

    def person_senders(self, person_id: int) -> frozenset[str]:
        """Keys of the addresses that a person may send from; none when suspended."""
        own = self.people.get(person_id)
        if own is None:
            return frozenset()
        return self.group_senders.get(person_id, frozenset()) | {own}


def _without_detail(address: Address) -> Address:
    """The address without what follows a plus: `user+detail` is `user` (RFC 5233)."""
    user, plus, _ = address.local.partition("+")
    return Address(user, address.domain) if user and plus else address
