"""Keeps the directory's index up to date with the registry, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from django.db import connection, transaction
from django.db.models import Model, Q

from engine.database.statements import fetch
from engine.registry import change_log, index_passes
from engine.registry.directory.alphabetical_ids import (
    alphabetical_id,
    stands_at_its_place,
)
from engine.registry.directory.entries import (
    BATCH,
    build_entries,
    build_new_entry,
    build_new_people,
)
from engine.registry.models import DirectoryEntry, EntryKind, Organisation, Person

REFOLDED = 200  # entries in one step of a pass


@transaction.atomic(savepoint=False)
def refresh(kind: EntryKind, row_id: int) -> None:
    """Rewrites one row's entry, or removes it if the row is no longer listed."""
    remove(kind, row_id)
    _insert_among_others(build_entries(kind, Q(pk=row_id)))


def add_new(row: Model) -> None:
    """Adds the entry of a row that was inserted a moment ago, if the row is listed."""
    entry = build_new_entry(row)
    if entry is not None:
        _insert_among_others([entry])


def add_new_people(people: Iterable[Person], organisation: Organisation) -> None:
    """Adds the entries of an organisation's people who were inserted a moment ago."""
    entries = build_new_people(people, organisation)
    first = [
        alphabetical_id(one.kind, one.name, one.row_id, is_taken=lambda pk: False)
        for one in entries
    ]
    rows = DirectoryEntry.objects.filter(pk__in=first)
    known = set(rows.values_list("pk", flat=True))
    free = set(first) - known
    given: set[int] = set()
    # One query for all: of a thousand new entries, fewer than one finds its place taken.
    _insert(
        entries,
        given,
        is_taken=lambda pk: pk in given or (pk not in free and _exists(pk)),
    )


def remove(kind: EntryKind, row_id: int) -> None:
    """Removes the entry of a row that was deleted."""
    DirectoryEntry.objects.filter(kind=kind, row_id=row_id).delete()


@transaction.atomic(savepoint=False)
def refresh_organisation(organisation: Organisation) -> None:
    """Rewrites an organisation's entry, and those of everything that belongs to it."""
    DirectoryEntry.objects.filter(organisation=organisation).delete()
    for kind in EntryKind:
        is_itself = kind == EntryKind.ORGANISATION
        wanted = Q(pk=organisation.pk) if is_itself else Q(organisation=organisation)
        _insert_among_others(build_entries(kind, wanted))


@transaction.atomic
def rebuild() -> int:
    """Rewrites the whole index; returns the number of entries.

    Needed after rows were changed without signals, by bulk loading or by SQL.
    """
    DirectoryEntry.objects.all().delete()
    given: set[int] = set()
    count = sum(
        _insert(build_entries(kind, Q()), given, is_taken=given.__contains__)
        for kind in EntryKind
    )
    _cluster()
    return count


def refold_next() -> int:
    """Rewrites the entries of some rows if they are found by other words now.

    Returns 0 when the whole index has been brought to the present folding. Each step
    rewrites a few entries, so that those who change the registry hardly wait.
    """
    return index_passes.step("directory", _refold)


def _refold(after: int) -> int | None:
    rows = list(DirectoryEntry.objects.filter(pk__gt=after).order_by("pk")[:REFOLDED])
    kept = {(row.kind, row.row_id): row for row in rows}
    outdated = []
    for kind in {row.kind for row in rows}:
        ids = [row.row_id for row in rows if row.kind == kind]
        for entry in build_entries(EntryKind(kind), Q(pk__in=ids)):
            if _is_outdated(kept[kind, entry.row_id], entry):
                outdated.append((EntryKind(kind), entry.row_id))
    if outdated:
        # As the registry's verbs do, one of which may be rewriting the same entry.
        change_log.lock()
    for kind, row_id in outdated:
        refresh(kind, row_id)
    return rows[-1].pk if rows else None


def _is_outdated(kept: DirectoryEntry, entry: DirectoryEntry) -> bool:
    is_placed = stands_at_its_place(kept.kind, entry.name, kept.pk)
    return entry.words != kept.words or not is_placed


def _cluster() -> None:
    """Stores entries with the same last name on the same few pages (PostgreSQL).

    SQLite always stores a table in the order of its primary key.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # CLUSTER refuses to run while deferred constraint checks are pending.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "CLUSTER registry_directoryentry USING registry_directoryentry_pkey"
            )
            cursor.execute("ANALYZE registry_directoryentry")


def _insert_among_others(entries: Iterable[DirectoryEntry]) -> None:
    given: set[int] = set()
    _insert(
        entries,
        given,
        is_taken=lambda pk: pk in given or _exists(pk),
    )


def _exists(pk: int) -> bool:
    return bool(fetch("SELECT 1 FROM registry_directoryentry WHERE id = %s", [pk]))


def _insert(
    entries: Iterable[DirectoryEntry],
    given: set[int],
    *,
    is_taken: Callable[[int], bool],
) -> int:
    """Inserts entries in batches, and adds their new ids to `given`; returns the count."""
    rest, count = iter(entries), 0
    while batch := list(islice(rest, BATCH)):
        for entry in batch:
            entry.pk = alphabetical_id(
                entry.kind, entry.name, entry.row_id, is_taken=is_taken
            )
            given.add(entry.pk)
        DirectoryEntry.objects.bulk_create(batch)
        count += len(batch)
    return count
