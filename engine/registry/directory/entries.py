"""Builds the directory's entries from the registry's rows.

Suspended people, mailboxes and lists, and everything that belongs to an organisation
that is not active, have no entry at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from engine.registry.directory.tokeniser import address_tokens, facet, index_tokens
from engine.registry.models import (
    DirectoryEntry,
    DistributionList,
    EntryKind,
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationStatus,
    Person,
)

BATCH = 2000
IN_ACTIVE_ORGANISATION = Q(organisation__status=OrganisationStatus.ACTIVE)

M = TypeVar("M", bound=Model)


def build_entries(kind: EntryKind, wanted: Q) -> Iterator[DirectoryEntry]:
    """Yields unsaved entries, without an id, for the matching rows that are listed."""
    yield from BUILDERS[kind](wanted)


def build_new_entry(row: Model) -> DirectoryEntry | None:
    """Builds the entry of a row that was inserted a moment ago; None if it is not listed.

    The row is not read again: that takes a join of three tables, and was a sixth of the
    time of adding people. Its organisation is, because the object that the caller holds
    may be older than a suspension.
    """
    if isinstance(row, Organisation):
        return _organisation_entry(row, "") if row.is_active else None
    if not isinstance(row, Person | DistributionList | Mailbox) or not row.is_active:
        return None
    if row.organisation_id is None:
        return None
    organisation = Organisation.objects.active().filter(pk=row.organisation_id).first()
    if organisation is None:
        return None
    if isinstance(row, Person):
        return _person_entry(row, organisation, is_published=True)
    is_list = isinstance(row, DistributionList)
    kind = EntryKind.LIST if is_list else EntryKind.GROUP_MAILBOX
    return _entry(kind, row, organisation)


def build_new_people(
    people: Iterable[Person], organisation: Organisation
) -> list[DirectoryEntry]:
    """Builds the entries of people who were inserted a moment ago, with one query."""
    # The object that the caller holds may be older than a suspension.
    active = Organisation.objects.active().filter(pk=organisation.pk).first()
    if active is None:
        return []
    return [_person_entry(person, active, is_published=True) for person in people]


def _people(wanted: Q) -> Iterator[DirectoryEntry]:
    rows = Person.objects.filter(wanted, IN_ACTIVE_ORGANISATION, is_active=True)
    for person in _each(rows.select_related("organisation", "mailbox")):
        mailbox: Mailbox | None = getattr(person, "mailbox", None)
        organisation = person.organisation
        if organisation and (mailbox is None or mailbox.is_active):
            is_published = mailbox is None or mailbox.is_published
            yield _person_entry(person, organisation, is_published=is_published)


def _person_entry(
    person: Person, organisation: Organisation, *, is_published: bool
) -> DirectoryEntry:
    return _entry(
        EntryKind.PERSON,
        person,
        organisation,
        town=person.town,
        job_title=person.job_title,
        phone=person.phone,
        is_published=is_published and not person.is_ex_directory,
    )


def _organisations(wanted: Q) -> Iterator[DirectoryEntry]:
    rows = Organisation.objects.active().filter(wanted).prefetch_related("domains")
    for organisation in _each(rows):
        domains = " ".join(d.community_domain for d in organisation.domains.all())
        yield _organisation_entry(organisation, domains)


def _organisation_entry(organisation: Organisation, domains: str) -> DirectoryEntry:
    entry = DirectoryEntry(
        kind=EntryKind.ORGANISATION,
        row_id=organisation.pk,
        organisation=organisation,
        name=organisation.name,
        town=organisation.town,
        is_published=True,
    )
    entry.words = _indexed_words(entry, address_tokens(domains))
    return entry


def _lists(wanted: Q) -> Iterator[DirectoryEntry]:
    rows = DistributionList.objects.filter(
        wanted, IN_ACTIVE_ORGANISATION, is_active=True
    )
    for row in _each(rows.select_related("organisation")):
        yield _entry(EntryKind.LIST, row, row.organisation)


def _group_mailboxes(wanted: Q) -> Iterator[DirectoryEntry]:
    rows = Mailbox.objects.filter(
        wanted, IN_ACTIVE_ORGANISATION, kind=MailboxKind.GROUP, is_active=True
    )
    for row in _each(rows.select_related("organisation")):
        yield _entry(EntryKind.GROUP_MAILBOX, row, row.organisation)


BUILDERS: dict[EntryKind, Callable[[Q], Iterator[DirectoryEntry]]] = {
    EntryKind.PERSON: _people,
    EntryKind.ORGANISATION: _organisations,
    EntryKind.LIST: _lists,
    EntryKind.GROUP_MAILBOX: _group_mailboxes,
}


def _each(rows: QuerySet[M]) -> Iterator[M]:
    return rows.order_by().iterator(chunk_size=BATCH)


def _entry(
    kind: EntryKind, row: Any, organisation: Organisation, **facts: Any
) -> DirectoryEntry:
    """Builds the entry of anything but an organisation.

    A person's own town counts, else their organisation's.
    """
    facts.setdefault("is_published", getattr(row, "is_published", True))
    entry = DirectoryEntry(
        kind=kind,
        row_id=row.pk,
        organisation=organisation,
        name=row.name,
        address=row.address,
        town=facts.pop("town", "") or organisation.town,
        **facts,
    )
    entry.words = _indexed_words(entry, address_tokens(entry.address))
    return entry


def _indexed_words(entry: DirectoryEntry, tokens_of_address: Collection[str]) -> str:
    organisation = entry.organisation
    words = index_tokens(f"{entry.name} {entry.job_title} {organisation.name}")
    facets = {
        facet("k", entry.kind),
        facet("o", organisation.pk),
        facet("c", organisation.kind),
        facet("t", entry.town),
    }
    return " ".join(sorted(words.union(tokens_of_address, facets)))
