"""An organisation's mail by day, as plots with a table, and its slowest next servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.frame import organisation_view, render_section
from portal.organisation.mail import slow_hops
from portal.organisation.models import MailDay

DAYS = 30
# In units of the SVG drawing.
HEIGHT, STEP = 138, 20
TITLES = {
    "sent": "Sent",
    "received": "Received",
    "refused": "Refused",
    "waiting": "Waiting at the end of the day",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar, in units of the drawing; y counts from the top."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """One bar for each day that had any."""

    title: str
    bars: Sequence[Bar]
    most: int
    total: int
    is_sum: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A row of the table, in the order of the titles."""

    day: date
    numbers: Sequence[tuple[str, int]]


@organisation_view(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The last thirty days, and the slowest servers of the latest messages."""
    days = _days(organisation)
    context = {
        "plots": [_plot(name, days) for name in TITLES],
        "days": [_row(day) for day in reversed(days)],
        "has_any": any(getattr(day, name) for day in days for name in TITLES),
        "first": days[0].day,
        "hops": slow_hops.slowest(organisation),
    }
    return render_section(request, organisation, "trace_figures", "trace", context)


def _days(organisation: Organisation) -> list[MailDay]:
    """Returns the days in order, with zeros for those without mail."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    found = {row.day: row for row in organisation.mail_days.filter(day__gte=first)}
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [found.get(day) or MailDay(day=day) for day in days]


def _plot(name: str, days: Sequence[MailDay]) -> Plot:
    numbers = [getattr(day, name) for day in days]
    most = max(numbers)
    bars = [
        Bar(place * STEP, round(HEIGHT - height, 1), round(height, 1))
        for place, number in enumerate(numbers)
        if number
        # A bar of one among thousands is seen all the same.
        for height in [max(2.0, HEIGHT * number / most)]
    ]
    # The same message may wait at the end of several days.
    return Plot(TITLES[name], bars, most, sum(numbers), is_sum=name != "waiting")


def _row(day: MailDay) -> Day:
    return Day(day.day, [(title, getattr(day, name)) for name, title in TITLES.items()])
