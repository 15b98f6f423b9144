"""How long the trace remembers: each step for a time, what came of a message for longer.

A delivery certificate rests on what was accepted and what became of each recipient. That
is kept for POSTERN_PROOF_DAYS, and the steps on the way for POSTERN_TRACE_DAYS.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from engine import clock, rows, slices
from engine.trace.models import Event, EventKind, Thinned

SLICE = 5_000  # events looked at in one transaction
# Steps on the way; the other kinds say what was accepted, and how it ended.
STEPS = frozenset(
    {
        EventKind.REFUSED,
        EventKind.QUARANTINED,
        EventKind.DEFERRED,
        EventKind.HELD,
        EventKind.RELEASED,
    }
)


def let_go() -> int:
    """Forget what has been kept for its time; return how many events were looked at."""
    return slices.work(_steps) + slices.work(_everything)


@transaction.atomic
def _steps() -> int:
    """Forget old steps, from where the slice before ended.

    The place is remembered, or each slice would look again through years of what stays.
    """
    before = _ago(settings.POSTERN.trace_days)
    place, _ = Thinned.objects.select_for_update().get_or_create(pk=Thinned.ONLY)
    after = Q(at__gt=place.at) | Q(at=place.at, pk__gt=place.event_id)
    old = Event.objects.filter(after, at__gte=place.at, at__lt=before)
    found = list(old.order_by("at", "pk").values_list("pk", "at", "kind")[:SLICE])
    if found:
        gone = [pk for pk, _, kind in found if kind in STEPS]
        Event.objects.filter(pk__in=rows.among(gone)).delete()
        place.event_id, place.at, _ = found[-1]
        place.save()
    return len(found)


def _everything() -> int:
    old = Event.objects.filter(at__lt=_ago(settings.POSTERN.proof_days))
    ids = list(old.order_by("at").values_list("pk", flat=True)[:SLICE])
    Event.objects.filter(pk__in=rows.among(ids)).delete()
    return len(ids)


def _ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days)
