"""Writes the trace: events of messages and their recipients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from engine.database import bulk_rows, clock
from engine.trace.models import Event, EventKind

# Reference, recipient, kind and detail of an event.
Row: TypeAlias = tuple[str, str, EventKind, dict[str, Any]]
# Reference, recipient, detail, and the organisation that was refused, if one is proved.
Refusal: TypeAlias = tuple[str, str, dict[str, Any], int | None]


def event(reference: str, kind: EventKind, recipient: str = "", **detail: Any) -> Event:
    """Returns an unsaved event of this moment, by the database's clock.

    `detail` must be JSON, without secrets and without message content.
    """
    return Event(
        reference=reference,
        kind=kind,
        recipient=recipient,
        at=clock.estimated_now(),
        detail=detail,
    )


def save(batch: Iterable[Event]) -> list[Event]:
    """Saves events with one statement, in the caller's transaction."""
    return Event.objects.bulk_create(list(batch))


def insert_rows(batch: Iterable[Row], *, at: datetime) -> None:
    """Inserts events from plain tuples, in the caller's transaction.

    For the commit that every message passes, where model instances cost too much.
    """
    bulk_rows.insert(
        Event,
        ("reference", "recipient", "kind", "detail", "at"),
        [
            (reference, recipient, kind.value, detail, at)
            for reference, recipient, kind, detail in batch
        ],
    )


def insert_refusals(batch: Iterable[Refusal], *, at: datetime) -> None:
    """Inserts refusals, each in the trace of the organisation that was refused."""
    bulk_rows.insert(
        Event,
        ("reference", "recipient", "kind", "detail", "at", "refused_for_id"),
        [
            (reference, recipient, EventKind.REFUSED.value, detail, at, organisation_id)
            for reference, recipient, detail, organisation_id in batch
        ],
    )


def count_repeats(details: Mapping[int, dict[str, Any]], *, at: datetime) -> set[int]:
    """Counts repetitions on existing events instead of adding events, in the caller's
    transaction.

    `details` maps event ids to the new detail. `times` and `last_at` in the detail say how
    often it happened and when it happened last. Returns the ids of events that still
    exist.
    """
    # Locked in the order of ids, so that two engines that count cannot deadlock.
    known = list(
        Event.objects.filter(pk__in=details).select_for_update().order_by("pk")
    )
    for one in known:
        times = int(one.detail.get("times", 1)) + 1
        # Last, so that a detail given by the caller cannot overwrite the count.
        last = {"times": times, "last_at": at.isoformat(timespec="seconds")}
        one.detail = one.detail | details[one.pk] | last
    Event.objects.bulk_update(known, ["detail"], batch_size=bulk_rows.UPDATE_BATCH_SIZE)
    return {one.pk for one in known}
