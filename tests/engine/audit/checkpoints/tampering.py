"""What one who controls the database could do to the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.audit.models import ChainEnd, Checkpoint, Entry
from engine.audit.record import GENESIS, digest_of


@dataclass(frozen=True)
class Backup:
    """All rows of the audit trail at a moment."""

    entries: list[Entry]
    ends: list[ChainEnd]
    checkpoints: list[Checkpoint]


def back_up() -> Backup:
    return Backup(
        list(Entry.objects.order_by("pk")),
        list(ChainEnd.objects.all()),
        list(Checkpoint.objects.order_by("pk")),
    )


def restore(backup: Backup) -> None:
    for model, rows in (
        (Entry, backup.entries),
        (ChainEnd, backup.ends),
        (Checkpoint, backup.checkpoints),
    ):
        model.objects.all().delete()
        model.objects.bulk_create(rows)


def rewrite(entries: Iterable[Entry]) -> None:
    """Replaces the chain by these entries, with digests and an end that fit."""
    rows, previous = list(entries), GENESIS
    for row in rows:
        row.previous_digest = previous
        row.digest = previous = digest_of(row)
    Entry.objects.all().delete()
    Entry.objects.bulk_create(rows)
    ChainEnd.objects.update(length=len(rows), digest=previous)


def without(entry: Entry) -> list[Entry]:
    return list(Entry.objects.exclude(pk=entry.pk).order_by("pk"))
