"""Counts the mail of each organisation by day, for its figures.

The queue keeps its messages for a week only, and counting a large organisation's takes
longer than a page may.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from engine import calendar_days
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation
from engine.trace.models import Event
from portal.organisation.models import MailDay

DAY = timedelta(days=1)
KEPT = timedelta(days=400)
WAITING = (RecipientStatus.QUEUED, RecipientStatus.HELD)
COUNTED = ("sent", "received", "refused")


def count_all() -> None:
    """Counts today, and each earlier day that is not counted to its end.

    What was deleted from the queue is not counted, so that a day is not counted again
    once some of it may be gone. Deletes figures that are too old.
    """
    today = timezone.localdate()
    for day in _due(today):
        _save(day, _counted(day), COUNTED)
    _save(today, {"waiting": dict(_waiting())}, ("waiting",))
    MailDay.objects.filter(day__lt=today - KEPT).delete()


def _due(today: date) -> Iterator[date]:
    """Yields the days to count: those since the last that was counted, and today."""
    last = MailDay.objects.order_by("-day").values_list("day", flat=True).first()
    first = today - DAY * (settings.POSTERN.queue_days - 1)
    # The last is counted again: most likely it was not over yet.
    day = max(first, last or first)
    while day <= today:
        yield day
        day += DAY


def _counted(day: date) -> dict[str, dict[int, int]]:
    begin, end = calendar_days.start_of(day), calendar_days.end_of(day)
    sent = QueuedMessage.objects.filter(accepted_at__gte=begin, accepted_at__lt=end)
    received = Recipient.objects.filter(
        message__accepted_at__gte=begin, message__accepted_at__lt=end
    )
    refused = Event.objects.filter(
        refused_for_id__isnull=False, at__gte=begin, at__lt=end
    )
    return {
        "sent": dict(
            _by(sent.exclude(source=Source.LIST), "organisation_id", Count("pk"))
        ),
        "received": dict(_by(received, "received_by_id", Count("pk"))),
        "refused": dict(
            _by(refused, "refused_for_id", Count("reference", distinct=True))
        ),
    }


def _waiting() -> Iterable[tuple[int, int]]:
    rows = Recipient.objects.filter(status__in=WAITING)
    rows = rows.exclude(message__source=Source.LIST)
    return _by(rows, "message__organisation_id", Count("message", distinct=True))


def _by(rows: QuerySet[Any], owner: str, number: Count) -> Iterable[tuple[int, int]]:
    rows = rows.filter(**{f"{owner}__isnull": False}).order_by()
    found: Iterable[tuple[int, int]] = rows.values_list(owner).annotate(number=number)
    return found


def _save(day: date, found: dict[str, dict[int, int]], names: Iterable[str]) -> None:
    values: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for name in names:
        for organisation_id, number in found[name].items():
            values[organisation_id][name] = number
    # Those that had some and have none any more are waiting no longer.
    earlier = MailDay.objects.filter(day=day).values_list("organisation_id", flat=True)
    known = Organisation.objects.filter(pk__in={*values, *earlier})
    MailDay.objects.bulk_create(
        [
            MailDay(organisation_id=pk, day=day, **values[pk])
            for pk in known.values_list("pk", flat=True)
        ],
        update_conflicts=True,
        unique_fields=["organisation", "day"],
        update_fields=list(names),
        batch_size=500,
    )
