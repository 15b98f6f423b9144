"""The one way to write down what happened to a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from engine import clock, rows
from engine.trace.models import Event, EventKind

# Reference, recipient, kind and detail of an event.
Row: TypeAlias = tuple[str, str, EventKind, dict[str, Any]]


def event(reference: str, kind: EventKind, recipient: str = "", **detail: Any) -> Event:
    """An unsaved event of now, by the database's clock: readers go by `at` and by the id.

    `detail` is JSON: no secrets, no message content."""
    return Event(
        reference=reference,
        kind=kind,
        recipient=recipient,
        at=clock.lately(),
        detail=detail,
    )


def events(batch: Iterable[Event]) -> list[Event]:
    """Save many events with one statement, inside the caller's transaction."""
    return Event.objects.bulk_create(list(batch))


def insert(batch: Iterable[Row], *, at: datetime) -> None:
    """The same for the path of every message, where making instances costs too much."""
    rows.insert(
        Event,
        ("reference", "recipient", "kind", "detail", "at"),
        [
            (reference, recipient, kind.value, detail, at)
            for reference, recipient, kind, detail in batch
        ],
    )


def repeat(details: Mapping[int, dict[str, Any]], *, at: datetime) -> set[int]:
    """Count events, by id, that happen again, instead of writing each down once more.

    Their detail is brought up to date; `times` and `last_at` say how often it happened
    and when it did last. Returns the ids of those that are still there. In the caller's
    transaction.
    """
    known = list(
        Event.objects.filter(pk__in=details).select_for_update().order_by("pk")
    )
    for one in known:
        times = int(one.detail.get("times", 1)) + 1
        last = {"times": times, "last_at": at.isoformat(timespec="seconds")}
        one.detail = one.detail | details[one.pk] | last
    Event.objects.bulk_update(known, ["detail"], batch_size=rows.UPDATED_AT_ONCE)
    return {one.pk for one in known}
