"""Finds the addresses that must be notified of an audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.audit.models import Entry
from engine.registry.models import (
    Grant,
    Mailbox,
    Organisation,
    OrganisationRole,
    Person,
    RecoveryAddressChange,
    RoleName,
    StaffRole,
)
from onboarding.notices.audit_rules import NOTICE_RULES, Audience


@dataclass(frozen=True, slots=True)
class NoticeRecipient:
    """An address, and whether it is inside the community."""

    address: str
    is_inside: bool


def recipients_of(entry: Entry) -> set[NoticeRecipient]:
    """Returns all recipients of an entry; empty if no rule announces it."""
    rule = NOTICE_RULES.get(entry.event)
    if rule is None or not (entry.by_key or rule.is_by_system):
        return set()
    found: set[NoticeRecipient] = set()
    for audience, find in _FINDERS.items():
        if audience in rule.to:
            found.update(one for one in find(entry) if one.address)
    return found


def addresses_of(person: Person) -> Iterator[NoticeRecipient]:
    """Yields a person's everyday address and their own mailbox, as far as they exist."""
    if person.everyday_address:
        yield NoticeRecipient(person.everyday_address, is_inside=False)
    if person.organisation_id is not None or hasattr(person, "mailbox"):
        yield NoticeRecipient(person.address, is_inside=True)


def owner_of(entry: Entry) -> Iterator[NoticeRecipient]:
    """Yields the addresses of the person that the entry is about, if it is a person."""
    if entry.subject_kind == "registry.person":
        person = Person.objects.filter(pk=entry.subject_key).first()
        if person is not None:
            yield from addresses_of(person)


def _old_address(entry: Entry) -> Iterator[NoticeRecipient]:
    yield NoticeRecipient(str(entry.detail.get("old", "")), is_inside=False)


def _administrators(entry: Entry) -> Iterator[NoticeRecipient]:
    """Yields all administrators, and the operators if none but the actor is left.

    Otherwise nobody but its author would be notified of a change.
    """
    organisation = _organisation(entry)
    if organisation is None:
        yield from _operators(entry)
        return
    roles = OrganisationRole.objects.filter(
        organisation=organisation,
        role=RoleName.ADMINISTRATOR,
        person__is_active=True,
    ).select_related("person__organisation", "person__mailbox")
    for role in roles:
        yield _work_address(role.person)
    if not any(str(role.person_id) != entry.by_key for role in roles):
        yield from _operators(entry)


def _operators(entry: Entry) -> Iterator[NoticeRecipient]:
    roles = StaffRole.objects.filter(role=RoleName.OPERATOR, person__is_active=True)
    for role in roles.select_related("person__organisation", "person__mailbox"):
        yield _work_address(role.person)


def _requester(entry: Entry) -> Iterator[NoticeRecipient]:
    """Yields the person who requested the change."""
    if "change" in entry.detail:
        asked = RecoveryAddressChange.objects.filter(pk=entry.detail["change"])
        people = Person.objects.filter(pk__in=asked.values("requested_by"))
    else:
        people = Person.objects.filter(address=entry.detail.get("requested_by", ""))
    for person in people.filter(is_active=True):
        yield _work_address(person)


def _members(entry: Entry) -> Iterator[NoticeRecipient]:
    organisation = _organisation(entry)
    if organisation is not None:
        owners = organisation.people.filter(is_active=True, mailbox__is_active=True)
        for address in owners.values_list("address", flat=True):
            yield NoticeRecipient(address, is_inside=True)


def _readers(entry: Entry) -> Iterator[NoticeRecipient]:
    mailbox = Mailbox.objects.filter(pk=entry.subject_key).first()
    if mailbox is None or entry.subject_kind != "registry.mailbox":
        return
    if mailbox.owner is not None:
        yield from addresses_of(mailbox.owner)
        return
    grants = Grant.objects.filter(
        mailbox=mailbox, can_read=True, person__is_active=True
    ).select_related("person__organisation", "person__mailbox")
    for grant in grants:
        yield _work_address(grant.person)


def _organisation(entry: Entry) -> Organisation | None:
    key = entry.organisation_key
    return Organisation.objects.filter(pk=key).first() if key.isdecimal() else None


def _work_address(person: Person) -> NoticeRecipient:
    """Returns the one address where a person reads notices about their work."""
    if hasattr(person, "mailbox"):
        return NoticeRecipient(person.address, is_inside=True)
    if person.everyday_address:
        return NoticeRecipient(person.everyday_address, is_inside=False)
    return NoticeRecipient(person.notice_address, is_inside=True)


_FINDERS: dict[Audience, Callable[[Entry], Iterator[NoticeRecipient]]] = {
    Audience.OWNER: owner_of,
    Audience.OLD_ADDRESS: _old_address,
    Audience.ADMINISTRATORS: _administrators,
    Audience.OPERATORS: _operators,
    Audience.REQUESTER: _requester,
    Audience.MEMBERS: _members,
    Audience.READERS: _readers,
}
