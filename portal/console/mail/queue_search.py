"""Recipients in the queue, by what staff ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Connection
from portal.console.waiting.forms import QueueFilter

MOST_AT_ONCE = 1000  # recipients that one press of a button changes
MOST_DESTINATIONS = 200
LONGEST_HOURS = 10_000

WAITING = (RecipientStatus.QUEUED, RecipientStatus.HELD)


def find(typed: dict[str, str]) -> QuerySet[Recipient]:
    """Recipients by status, sender, recipient, destination and age."""
    rows = Recipient.objects.filter(status=typed["status"]).select_related("message")
    if typed["sender"]:
        rows = rows.filter(_ends("message__sender", typed["sender"]))
    if typed["recipient"]:
        rows = rows.filter(_ends("address", typed["recipient"]))
    if typed["destination"]:
        rows = rows.filter(destination=typed["destination"])
    if typed["hours"].isdecimal():
        hours = min(int(typed["hours"][:6]), LONGEST_HOURS)
        since = timezone.now() - timedelta(hours=hours)
        rows = rows.filter(message__accepted_at__lte=since)
    return rows


def chosen(request: HttpRequest) -> list[int]:
    """Whom a button is about: the rows that were ticked, or all that the filter finds."""
    if request.GET.get("all") == "1":
        rows = find(QueueFilter(request).criteria).order_by("pk")
        return list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
    ticked = request.GET.getlist("id")[:MOST_AT_ONCE]
    return [int(text) for text in ticked if text.isascii() and text.isdigit()]


@dataclass(frozen=True, slots=True)
class Destination:
    """Mail that waits for one place."""

    key: str
    queued: int
    held: int
    oldest: datetime
    said: str


def by_destination() -> list[Destination]:
    """Where mail waits: how much, since when, and what was said there last."""
    # One pass over what waits, however much that is: the rest is looked up by id. A
    # subquery here would be run for each row that is grouped.
    rows = list(
        Recipient.objects.filter(status__in=WAITING)
        .values("destination")
        .annotate(
            queued=Count("pk", filter=Q(status=RecipientStatus.QUEUED)),
            held=Count("pk", filter=Q(status=RecipientStatus.HELD)),
            first=Min("message_id"),
            answered=Max("pk", filter=~Q(last_reply="")),
        )
        .order_by("first")[:MOST_DESTINATIONS]
    )
    accepted = _column(QueuedMessage, "accepted_at", [row["first"] for row in rows])
    said = _column(Recipient, "last_reply", [row["answered"] for row in rows])
    return [
        Destination(
            row["destination"],
            row["queued"],
            row["held"],
            accepted[row["first"]],
            said.get(row["answered"], ""),
        )
        for row in rows
        if row["first"] in accepted  # it may have left the queue meanwhile
    ]


def _column(model: type[Model], name: str, ids: Iterable[int | None]) -> dict[int, Any]:
    found = model._default_manager.filter(pk__in=[pk for pk in ids if pk is not None])
    return dict(found.values_list("pk", name))


def names_of(destinations: list[str]) -> dict[str, Connection]:
    """The connections among destinations, by what they are queued under."""
    numbers = [text.partition(":")[2] for text in destinations if ":" in text]
    rows = Connection.objects.filter(
        pk__in=[int(number) for number in numbers if number.isdigit()]
    ).select_related("organisation")
    return {f"connection:{row.pk}": row for row in rows}


def _ends(field: str, text: str) -> Q:
    """A whole address, or everything in a domain."""
    if "@" in text.strip("@"):
        return Q(**{f"{field}__iexact": text})
    return Q(**{f"{field}__iendswith": f"@{text.lstrip('@')}"})
