"""Keeping the directory's entries true to the registry, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from django.db import connection, transaction
from django.db.models import Q

from engine.registry.directory.listed import BATCH, listed
from engine.registry.directory.place import place
from engine.registry.models import DirectoryEntry, EntryKind, Organisation


@transaction.atomic(savepoint=False)
def refresh(kind: EntryKind, row_id: int) -> None:
    """Rewrite one row's entry; without one where it may no longer be listed."""
    forget(kind, row_id)
    add(kind, row_id)


def add(kind: EntryKind, row_id: int) -> None:
    """Write the entry of a row that had none, where it may be listed."""
    _insert_beside_others(listed(kind, Q(pk=row_id)))


def forget(kind: EntryKind, row_id: int) -> None:
    """Take out the entry of a row that is gone."""
    DirectoryEntry.objects.filter(kind=kind, row_id=row_id).delete()


@transaction.atomic(savepoint=False)
def refresh_organisation(organisation: Organisation) -> None:
    """Rewrite an organisation's entry, and those of all that belongs to it."""
    DirectoryEntry.objects.filter(organisation=organisation).delete()
    for kind in EntryKind:
        is_itself = kind == EntryKind.ORGANISATION
        wanted = Q(pk=organisation.pk) if is_itself else Q(organisation=organisation)
        _insert_beside_others(listed(kind, wanted))


@transaction.atomic
def rebuild() -> int:
    """Rewrite the whole directory; returns the number of its entries."""
    DirectoryEntry.objects.all().delete()
    given: set[int] = set()
    count = sum(
        _insert(listed(kind, Q()), given, is_taken=given.__contains__)
        for kind in EntryKind
    )
    _lay_in_order()
    return count


def _lay_in_order() -> None:
    """Have PostgreSQL keep those with one last name on the same few pages.

    SQLite does so by itself.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "CLUSTER registry_directoryentry USING registry_directoryentry_pkey"
            )
            cursor.execute("ANALYZE registry_directoryentry")


def _insert_beside_others(entries: Iterable[DirectoryEntry]) -> None:
    given: set[int] = set()
    _insert(
        entries,
        given,
        is_taken=lambda pk: (
            pk in given or DirectoryEntry.objects.filter(pk=pk).exists()
        ),
    )


def _insert(
    entries: Iterable[DirectoryEntry],
    given: set[int],
    *,
    is_taken: Callable[[int], bool],
) -> int:
    """Insert entries, noting each id that is given; returns how many there were."""
    rest, count = iter(entries), 0
    while batch := list(islice(rest, BATCH)):
        for entry in batch:
            entry.pk = place(entry.kind, entry.name, entry.row_id, is_taken=is_taken)
            given.add(entry.pk)
        DirectoryEntry.objects.bulk_create(batch)
        count += len(batch)
    return count
