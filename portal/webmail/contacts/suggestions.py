"""Suggests recipients: the person's groups and contacts, then the directory."""

from __future__ import annotations

from dataclasses import dataclass

from engine.folding import columns
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.registry import directory
from engine.registry.models import EntryKind, Person
from portal.webmail import recipient_input
from portal.webmail.contacts import address_book
from portal.webmail.models import Contact, ContactGroup

# Suggestions shown below a recipients field.
LIMIT = 8

WRITABLE = (EntryKind.PERSON, EntryKind.GROUP_MAILBOX, EntryKind.LIST)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggested recipient; `typed` is the text for the recipients field."""

    name: str
    detail: str
    source: str
    typed: str


def suggest(text: str, *, person: Person, limit: int = LIMIT) -> list[Suggestion]:
    """Returns at most `limit` suggestions, without duplicates, for two letters or more."""
    text = text.strip()[:100]
    if len(text) < 2:
        return []
    found = _groups(person, text) + _contacts(person, text, limit)
    known = {suggestion.typed.rpartition("<")[2].casefold() for suggestion in found}
    listed = [
        suggestion
        for suggestion in _directory(person, text, limit)
        if suggestion.typed.rpartition("<")[2].casefold() not in known
    ]
    return (found + listed)[:limit]


def _groups(person: Person, text: str) -> list[Suggestion]:
    # Few enough to compare here.
    groups = ContactGroup.objects.filter(person=person)
    rows = [group for group in groups if columns.is_found([group.name], text)][:3]
    return [
        Suggestion(
            name=group.name,
            detail=f"{group.contacts.count()} contacts",
            source="Your group",
            typed=typed,
        )
        for group in rows
        if (typed := address_book.recipients_text(address_book.members(group)))
    ]


def _contacts(person: Person, text: str, limit: int) -> list[Suggestion]:
    rows = Contact.objects.filter(person=person).matching(text)[:limit]
    return [
        Suggestion(
            name=contact.name,
            detail=", ".join(filter(None, (contact.address, contact.organisation))),
            source="Your contact",
            typed=_typed(contact.name, contact.address),
        )
        for contact in rows
    ]


def _directory(person: Person, text: str, limit: int) -> list[Suggestion]:
    return [
        Suggestion(
            name=entry.name,
            detail=", ".join(
                filter(None, (entry.address, entry.job_title, entry.organisation))
            ),
            source="Directory",
            typed=_typed(entry.name, entry.address),
        )
        for entry in directory.suggest(text, viewer=person, limit=limit)
        if entry.kind in WRITABLE
    ]


def _typed(name: str, address: str) -> str:
    return recipient_input.format_recipients(
        [NamedAddress(name, Address.parse(address))]
    )
