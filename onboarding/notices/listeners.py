"""The addresses at which those who must hear of an audit entry hear of it."""

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
from onboarding.notices.hearing import HEARINGS, Audience


@dataclass(frozen=True, slots=True)
class Listener:
    """An address, and whether mail to it stays inside the community."""

    address: str
    is_inside: bool


def listeners(entry: Entry) -> set[Listener]:
    """Everybody who must hear of the entry; none for what is announced to nobody."""
    hearing = HEARINGS.get(entry.event)
    if hearing is None or not (entry.by_key or hearing.is_by_system):
        return set()
    found: set[Listener] = set()
    for audience, find in _FINDERS.items():
        if audience in hearing.to:
            found.update(one for one in find(entry) if one.address)
    return found


def addresses_of(person: Person) -> Iterator[Listener]:
    """Where somebody hears of their own account: outside, and in their own mailbox."""
    if person.everyday_address:
        yield Listener(person.everyday_address, is_inside=False)
    if person.organisation_id is not None or hasattr(person, "mailbox"):
        yield Listener(person.address, is_inside=True)


def owner_of(entry: Entry) -> Iterator[Listener]:
    """Where the owner of the account that the entry is about hears; nowhere of others."""
    if entry.subject_kind == "registry.person":
        person = Person.objects.filter(pk=entry.subject_key).first()
        if person is not None:
            yield from addresses_of(person)


def _old_address(entry: Entry) -> Iterator[Listener]:
    yield Listener(str(entry.detail.get("old", "")), is_inside=False)


def _administrators(entry: Entry) -> Iterator[Listener]:
    """All of them; where none but the one who acted is there, the operators too."""
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
        yield _reads(role.person)
    if not any(str(role.person_id) != entry.by_key for role in roles):
        yield from _operators(entry)


def _operators(entry: Entry) -> Iterator[Listener]:
    roles = StaffRole.objects.filter(role=RoleName.OPERATOR, person__is_active=True)
    for role in roles.select_related("person__organisation", "person__mailbox"):
        yield _reads(role.person)


def _asker(entry: Entry) -> Iterator[Listener]:
    """Who asked: a key's maker for the key."""
    if "change" in entry.detail:
        asked = RecoveryAddressChange.objects.filter(pk=entry.detail["change"])
        people = Person.objects.filter(pk__in=asked.values("requested_by"))
    else:
        people = Person.objects.filter(address=entry.detail.get("requested_by", ""))
    for person in people.filter(is_active=True):
        yield _reads(person)


def _members(entry: Entry) -> Iterator[Listener]:
    organisation = _organisation(entry)
    if organisation is not None:
        owners = organisation.people.filter(is_active=True, mailbox__is_active=True)
        for address in owners.values_list("address", flat=True):
            yield Listener(address, is_inside=True)


def _readers(entry: Entry) -> Iterator[Listener]:
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
        yield _reads(grant.person)


def _organisation(entry: Entry) -> Organisation | None:
    key = entry.organisation_key
    return Organisation.objects.filter(pk=key).first() if key.isdecimal() else None


def _reads(person: Person) -> Listener:
    """The one place where somebody reads notices of their work; nowhere for some."""
    if hasattr(person, "mailbox"):
        return Listener(person.address, is_inside=True)
    if person.everyday_address:
        return Listener(person.everyday_address, is_inside=False)
    return Listener(person.notice_address, is_inside=True)


_FINDERS: dict[Audience, Callable[[Entry], Iterator[Listener]]] = {
    Audience.OWNER: owner_of,
    Audience.OLD_ADDRESS: _old_address,
    Audience.ADMINISTRATORS: _administrators,
    Audience.OPERATORS: _operators,
    Audience.ASKER: _asker,
    Audience.MEMBERS: _members,
    Audience.READERS: _readers,
}
