"""Search results: entries of the directory, and pages of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.registry.models import DirectoryEntry, EntryKind, Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `id` is that of the person, organisation, list or mailbox itself."""

    kind: EntryKind
    id: int
    name: str
    address: str
    organisation_id: int
    organisation: str
    organisation_kind: Kind
    town: str
    job_title: str
    phone: str
    # False if only the organisation's own administrators see it.
    is_published: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results, in alphabetical order.

    `next` is the cursor to pass to search() as `after`; None on the last page. `total`
    is counted for the first page only, and is None there if it exceeds COUNTED.
    """

    entries: Sequence[Entry]
    next: str | None
    total: int | None


def entry_of(row: DirectoryEntry) -> Entry:
    """Returns the result for a row of the index; reads its organisation."""
    return Entry(
        kind=EntryKind(row.kind),
        id=row.row_id,
        name=row.name,
        address=row.address,
        organisation_id=row.organisation_id,
        organisation=row.organisation.name,
        organisation_kind=Kind(row.organisation.kind),
        town=row.town,
        job_title=row.job_title,
        phone=row.phone,
        is_published=row.is_published,
    )
