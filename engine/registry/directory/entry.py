"""What a search answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.registry.models import DirectoryEntry, EntryKind, Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing found. `id` is the person's, organisation's, list's or mailbox's own."""

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
    # False where only the organisation's own administrators see it.
    is_published: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, in the order of the alphabet.

    `next` is given to search() as `after`; None at the end. `total` is counted on the
    first page only, and is None there where it is more than COUNTED.
    """

    entries: Sequence[Entry]
    next: str | None
    total: int | None


def entry_of(row: DirectoryEntry) -> Entry:
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
