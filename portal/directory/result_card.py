"""A search result: the entry, its page, and how to write to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.db.models import Q
from django.urls import reverse

from engine.registry.directory import Entry, EntryKind
from engine.registry.models import Mailbox, Person
from engine.registry.permissions import Visitor
from portal.ui import navigation

PAGES = {
    EntryKind.PERSON: "directory:person",
    EntryKind.ORGANISATION: "directory:organisation",
    EntryKind.LIST: "directory:list",
    EntryKind.GROUP_MAILBOX: "directory:group_mailbox",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One result. `write_to` is empty for an entry without an address."""

    entry: Entry
    href: str
    write_to: str

    @property
    def label(self) -> str:
        """The kind of entry; empty for a person, who is recognised by name."""
        return "" if self.entry.kind == EntryKind.PERSON else self.entry.kind.label


def cards(entries: Sequence[Entry], viewer: Visitor) -> list[Card]:
    """Returns the results for these entries."""
    writes_here = can_write_here(viewer)
    return [card(entry, writes_here=writes_here) for entry in entries]


def card(entry: Entry, *, writes_here: bool) -> Card:
    """Returns the result for one entry."""
    href = reverse(PAGES[entry.kind], args=[entry.id])
    return Card(entry, href, _write_to(entry.address, writes_here=writes_here))


def can_write_here(viewer: Visitor) -> bool:
    """True for a person with a mailbox to send from; others use their own mail program."""
    if not isinstance(viewer, Person):
        return False
    own = Q(owner=viewer) | Q(grants__person=viewer, grants__can_send=True)
    return Mailbox.objects.filter(own, is_active=True).exists()


def _write_to(address: str, *, writes_here: bool) -> str:
    if not address:
        return ""
    if writes_here:
        return f"{navigation.MAIL}write/?{urlencode({'to': address})}"
    return f"mailto:{quote(address, safe='@')}"
