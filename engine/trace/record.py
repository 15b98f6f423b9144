"""The one way to write down what happened to a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from engine.trace.models import Event, EventKind


def event(reference: str, kind: EventKind, recipient: str = "", **detail: Any) -> Event:
    """An unsaved event of now. `detail` is JSON: no secrets, no message content."""
    return Event(
        reference=reference,
        kind=kind,
        recipient=recipient,
        at=timezone.now(),
        detail=detail,
    )


def events(batch: Iterable[Event]) -> list[Event]:
    """Save many events with one statement, inside the caller's transaction."""
    return Event.objects.bulk_create(list(batch))
