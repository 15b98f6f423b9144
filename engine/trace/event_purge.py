"""Deletes old trace events: intermediate ones early, acceptance and outcomes late.
Counts of strangers go with the intermediate events.

A delivery certificate needs the acceptance of a message and the outcome for each
recipient. These are kept for POSTERN_PROOF_DAYS, other events for POSTERN_TRACE_DAYS.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from engine.database import batches, clock
from engine.database.id_in import IdIn
from engine.trace import stranger_counts
from engine.trace.models import OF_LINKS, Event, EventKind, Thinned

SLICE = 5_000  # events looked at in one transaction
# Kinds that are neither the acceptance of a message nor the outcome for a recipient.
INTERMEDIATE = frozenset(
    {
        EventKind.REFUSED,
        EventKind.QUARANTINED,
        EventKind.DEFERRED,
        EventKind.HELD,
        EventKind.RELEASED,
        EventKind.NOT_RECALLED,
        *OF_LINKS,
    }
)


def purge() -> int:
    """Deletes what is past its time; returns how many rows were looked at."""
    return (
        batches.run(_purge_intermediate)
        + batches.run(_purge_all)
        + batches.run(stranger_counts.purge)
    )


@transaction.atomic
def _purge_intermediate() -> int:
    """Deletes old intermediate events, from where the previous slice ended."""
    # The position is saved, or each slice would scan years of events that stay.
    before = _ago(settings.POSTERN.trace_days)
    place, _ = Thinned.objects.select_for_update().get_or_create(pk=Thinned.ONLY)
    after = Q(at__gt=place.at) | Q(at=place.at, pk__gt=place.event_id)
    old = Event.objects.filter(after, at__gte=place.at, at__lt=before)
    found = list(old.order_by("at", "pk").values_list("pk", "at", "kind")[:SLICE])
    if found:
        gone = [pk for pk, _, kind in found if kind in INTERMEDIATE]
        Event.objects.filter(IdIn("pk", gone)).delete()
        place.event_id, place.at, _ = found[-1]
        place.save()
    return len(found)


def _purge_all() -> int:
    old = Event.objects.filter(at__lt=_ago(settings.POSTERN.proof_days))
    ids = list(old.order_by("at").values_list("pk", flat=True)[:SLICE])
    Event.objects.filter(IdIn("pk", ids)).delete()
    return len(ids)


def _ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days)
