"""The change log: which rows of the registry changed, in the order they were committed.

Every process follows it and reads again only what changed (`engine.routing`). Signals
log rows that are saved or deleted one by one, `LoggedQuerySet` those that are written
many at a time. Raw SQL must call `Change.objects.record` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from engine.database import clock
from engine.registry.models import Change, ChangeKind
from engine.registry.models.change import committed, lock, recorded

__all__ = [
    "START",
    "Entry",
    "Position",
    "after",
    "committed",
    "end",
    "lock",
    "purge",
    "record_other",
    "recorded",
]

# What is kept for followers that are behind: a process that missed an hour reads the
# whole registry again, which takes it seconds.
KEPT = timedelta(hours=1)
ROWS_KEPT = 200_000
PURGED_AT_ONCE = 5_000


class Position(NamedTuple):
    """The last change that a follower applied; (0, "") is before the first."""

    sequence: int
    mark: str


START = Position(0, "")


class Entry(NamedTuple):
    """A logged change as followers read it."""

    sequence: int
    mark: str
    kind: str
    row_id: int


def end() -> Position:
    """Returns the position of the last change that is committed."""
    last = Change.objects.order_by("-sequence").values_list("sequence", "mark").first()
    return START if last is None else Position(*last)


def after(position: Position, *, most: int) -> Sequence[Entry] | None:
    """Returns up to `most` changes after a position, in order, by one query.

    None where the log does not go on from there: what followed was purged, or the
    position is of a history that was replaced (a restored backup, a transaction that
    was rolled back after it had been read from inside).
    """
    rows = [
        Entry(*row)
        for row in Change.objects.filter(sequence__gte=position.sequence)
        .order_by("sequence")
        .values_list("sequence", "mark", "kind", "row_id")[: most + 1]
    ]
    first = position.sequence
    if position == START:
        first += 1
    elif not rows or (rows[0].sequence, rows[0].mark) != position:
        return None
    if any(row.sequence != number for number, row in enumerate(rows, start=first)):
        return None
    return rows[:most] if position == START else rows[1:]


def record_other() -> None:
    """Makes open mail sessions check their sign-in again, though no route has changed."""
    Change.objects.record(ChangeKind.OTHER, [0])


def purge() -> int:
    """Deletes what no follower needs any more; returns how many rows.

    The last row always stays: by it an idle follower knows that nothing has happened.
    """
    last = end().sequence
    old = Change.objects.filter(at__lt=clock.now() - KEPT, sequence__lt=last)
    newest_old = old.order_by("-sequence").values_list("sequence", flat=True).first()
    limit = max(newest_old or 0, last - ROWS_KEPT)
    rows = Change.objects.filter(sequence__lte=limit).order_by("sequence")
    ids = list(rows.values_list("sequence", flat=True)[:PURGED_AT_ONCE])
    if not ids:
        return 0
    return Change.objects.filter(sequence__lte=ids[-1]).delete()[0]
