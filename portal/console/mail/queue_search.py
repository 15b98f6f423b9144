"""Recipients in the mail queue: filtered, selected, and grouped by destination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Max, Min, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Connection
from portal.ui.filters import FilterForm, text_filter

SELECTION_LIMIT = 1000  # recipients that one action changes
DESTINATION_LIMIT = 200
HOURS_LIMIT = 10_000

WAITING = (RecipientStatus.QUEUED, RecipientStatus.HELD)
STATUSES = (RecipientStatus.QUEUED, RecipientStatus.HELD, RecipientStatus.FAILED)


class QueueFilter(FilterForm):
    """Filters recipients; an unknown status falls back to those queued."""

    status = forms.ChoiceField(
        label="Status", choices=[(one.value, one.label) for one in STATUSES]
    )
    sender = text_filter("Sender, or its domain")
    recipient = text_filter("Recipient, or its domain")
    destination = text_filter("Destination")
    hours = forms.CharField(
        label="Older than, in hours", widget=forms.NumberInput(attrs={"min": "0"})
    )

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        if self.criteria["status"] not in STATUSES:
            self.criteria["status"] = RecipientStatus.QUEUED.value
            self.initial["status"] = self.criteria["status"]


def find(criteria: dict[str, str]) -> QuerySet[Recipient]:
    """Filters recipients by status, sender, recipient, destination and age in hours."""
    rows = Recipient.objects.filter(status=criteria["status"]).select_related("message")
    if criteria["sender"]:
        rows = rows.filter(_matches("message__sender", criteria["sender"]))
    if criteria["recipient"]:
        rows = rows.filter(_matches("address", criteria["recipient"]))
    if criteria["destination"]:
        rows = rows.filter(destination=criteria["destination"])
    if criteria["hours"].isdecimal():
        hours = min(int(criteria["hours"][:6]), HOURS_LIMIT)
        since = timezone.now() - timedelta(hours=hours)
        rows = rows.filter(message__accepted_at__lte=since)
    return rows


def selected(request: HttpRequest) -> list[int]:
    """Returns the ids of the ticked recipients, or of all that the filter finds."""
    if request.GET.get("all") == "1":
        rows = find(QueueFilter(request).criteria).order_by("pk")
        return list(rows.values_list("pk", flat=True)[:SELECTION_LIMIT])
    ticked = request.GET.getlist("id")[:SELECTION_LIMIT]
    return [int(text) for text in ticked if text.isascii() and text.isdigit()]


@dataclass(frozen=True, slots=True)
class Destination:
    """The mail waiting for one destination, and the last reply from there."""

    key: str
    queued: int
    held: int
    oldest: datetime
    last_reply: str


def by_destination() -> list[Destination]:
    """Groups waiting mail by destination, the longest wait first."""
    # One pass over the waiting rows; the rest is looked up by id. A subquery here would
    # run once for each grouped row.
    rows = list(
        Recipient.objects.filter(status__in=WAITING)
        .values("destination")
        .annotate(
            queued=Count("pk", filter=Q(status=RecipientStatus.QUEUED)),
            held=Count("pk", filter=Q(status=RecipientStatus.HELD)),
            first=Min("message_id"),
            answered=Max("pk", filter=~Q(last_reply="")),
        )
        .order_by("first")[:DESTINATION_LIMIT]
    )
    accepted = _column(QueuedMessage, "accepted_at", [row["first"] for row in rows])
    replies = _column(Recipient, "last_reply", [row["answered"] for row in rows])
    return [
        Destination(
            row["destination"],
            row["queued"],
            row["held"],
            accepted[row["first"]],
            replies.get(row["answered"], ""),
        )
        for row in rows
        if row["first"] in accepted  # it may have left the queue since the first query
    ]


def _column(model: type[Model], name: str, ids: Iterable[int | None]) -> dict[int, Any]:
    found = model._default_manager.filter(pk__in=[pk for pk in ids if pk is not None])
    return dict(found.values_list("pk", name))


def connections_of(destinations: list[str]) -> dict[str, Connection]:
    """Returns the connections among destinations, by the key they are queued under."""
    numbers = [text.partition(":")[2] for text in destinations if ":" in text]
    rows = Connection.objects.filter(
        pk__in=[int(number) for number in numbers if number.isdigit()]
    ).select_related("organisation")
    return {f"connection:{row.pk}": row for row in rows}


def _matches(field: str, text: str) -> Q:
    """Matches a whole address, or every address in a domain."""
    if "@" in text.strip("@"):
        return Q(**{f"{field}__iexact": text})
    return Q(**{f"{field}__iendswith": f"@{text.lstrip('@')}"})
