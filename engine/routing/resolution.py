"""Resolves addresses: what each leads to, by the registry's rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from django.conf import settings

from engine.mail import role_addresses, smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.registry.addresses.allocation import list_key_of
from engine.registry.models import OrganisationStatus
from engine.routing.connections import Connections
from engine.routing.domains import Domains
from engine.routing.facts import OrganisationFacts, Route, RouteKind
from engine.routing.persistent import Map
from engine.routing.refusals import (
    ClosedRecipientError,
    LoopError,
    SuspendedRecipientError,
    UnknownRecipientError,
)
from engine.routing.tables import Aliases, Lists, Mailboxes, People

# How many aliases may lead to one another.
ALIAS_HOP_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The rows that an address may lead to. `Routes` adds what else routing knows."""

    organisations: Map[int, OrganisationFacts] = field(default_factory=Map)
    domains: Domains = field(default_factory=Domains)
    connections: Connections = field(default_factory=Connections)
    people: People = field(default_factory=People)
    mailboxes: Mailboxes = field(default_factory=Mailboxes)
    aliases: Aliases = field(default_factory=Aliases)
    lists: Lists = field(default_factory=Lists)

    def resolve(self, address: Address) -> Route:
        """Finds where mail to an address goes, in either of its forms.

        Exact rows come before the domain's relaying, and both before the people who read
        postmaster@ and abuse@. Raises UnknownRecipientError (550 5.1.1),
        SuspendedRecipientError or ClosedRecipientError (550 5.2.1), LoopError (554 5.4.6),
        or PermanentFailure (553 5.1.3) when the suffix makes it too long.
        """
        try:
            found = self.domains.to_community(address)
            if not role_addresses.is_role(found):
                # An alias may lead to such an address, its own or another domain's.
                found = self._follow_aliases(found, address)
            if role_addresses.is_role(found):
                return self._resolve_role(found, address)
            return self._resolve_made(found, address)
        except InvalidAddressError as error:
            raise PermanentFailure(smtp_replies.BAD_RECIPIENT) from error

    def administrators(self, organisation_id: int) -> list[Route]:
        """Returns where the administrators of an organisation read their mail.

        Without those that mail cannot reach, as while they are suspended.
        """
        found = []
        for person_id in self.organisations[organisation_id].administrators:
            key, _, is_active = self.people.rows.get(person_id, ("", None, False))
            with suppress(PermanentFailure, InvalidAddressError):
                if is_active:
                    own = Address.parse(key)
                    found.append(self._resolve_made(own, own))
        direct = (RouteKind.MAILBOX, RouteKind.CONNECTION)
        return [route for route in found if route.kind in direct]

    def _resolve_role(self, address: Address, written: Address) -> Route:
        """Resolves postmaster@ or abuse@: what somebody made of it, else its readers."""
        try:
            made = self._resolve_made(address, written)
        except (UnknownRecipientError, SuspendedRecipientError, LoopError):
            readers = self._readers(role_addresses.without_detail(address))
            if readers is None:
                raise
            return readers
        # An alias may lead to another organisation, whose lists keep their own policy.
        is_own = made.organisation_id == self.domains.owner_of(address.domain)
        return replace(made, is_role=is_own)

    def _readers(self, role: Address) -> Route | None:
        """Who reads such an address that leads nowhere: administrators, or the helpdesk."""
        owner = self.domains.owner_of(role.domain)
        is_service = role.domain == settings.POSTERN.community_domain
        if owner is None and not is_service:
            return None
        if owner is not None and not is_service:
            # Mail that waits for a suspended organisation is held, and never returned.
            self._check_organisation(role, owner)
        helpdesk = self._helpdesk()
        if helpdesk is not None and is_service:
            return helpdesk
        if owner is not None and self.administrators(owner):
            return Route(RouteKind.ADMINISTRATORS, role, owner, is_role=True)
        return helpdesk

    def _helpdesk(self) -> Route | None:
        with suppress(PermanentFailure, InvalidAddressError):
            address = Address.parse(settings.POSTERN.helpdesk_address)
            return replace(self._resolve_made(address, address), is_role=True)
        return None

    def _resolve_made(self, address: Address, written: Address) -> Route:
        """Resolves by what somebody made: an alias, mailbox, list or connection."""
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
        mailbox_id = self.mailbox_of_detail(address)
        if mailbox_id is not None:
            return self._to_mailbox(role_addresses.without_detail(address), mailbox_id)
        if _is_for_reports(address):
            owner = self.domains.owner_of(address.domain)
            return Route(RouteKind.TLS_REPORTS, address, owner or 0)
        return self._to_connection(address, written)

    def mailbox_of_detail(self, address: Address) -> int | None:
        """Returns the mailbox that `user+detail` in community form arrives in.

        None where there is none, and for an address that has a plus of its own.
        """
        key, whole = address.key, role_addresses.without_detail(address).key
        lists, mailboxes = self.lists, self.mailboxes.addresses
        kept_here = (self.aliases.addresses, mailboxes, lists.addresses, lists.bounces)
        own = (*kept_here, self.people.with_a_plus)
        if whole == key or any(index.first(key) is not None for index in own):
            return None
        return mailboxes.first(whole)

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
        if organisation_id is not None and _is_role_bounce(address):
            return Route(RouteKind.BOUNCES, address, organisation_id)
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

    def is_open(self, mailbox_id: int) -> bool:
        """Whether a mailbox and its owner, if it has one, are active."""
        _, _, owner_id, is_active = self.mailboxes.rows[mailbox_id]
        if not is_active or owner_id is None:
            return is_active
        # Changes arrive in slices. Until its owner is in the snapshot, a mailbox counts
        # as closed rather than open by mistake.
        _, _, owner_is_active = self.people.rows.get(owner_id, (None, None, False))
        return owner_is_active

    def is_suspended_key(self, key: str) -> bool:
        """Whether the address is a suspended person's own."""
        return self.people.suspended.first(key) is not None


def _is_for_reports(address: Address) -> bool:
    """Whether the address is that of TLS reports, unless somebody made one of the name."""
    ours = Address(role_addresses.TLS_REPORTS, settings.POSTERN.community_domain)
    return address.key == ours.key


def _is_role_bounce(address: Address) -> bool:
    """Whether servers return there what they could not deliver to administrators."""
    name, _, _ = list_key_of(address.key).rpartition("@")
    return name in role_addresses.NAMES
