"""The helpdesk's weekly figures, and the bars of their charts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import TruncWeek
from django.utils import timezone

from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Category

WEEKS = 12
TOP = 5


class Opened(NamedTuple):
    """The tickets opened in a week: how many, and the average time to answer."""

    tickets: int = 0
    first_answer_minutes: int | None = None


class Solved(NamedTuple):
    """The tickets solved in a week: how many, how soon, and how many met their targets."""

    tickets: int = 0
    solve_minutes: int | None = None
    met_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """One week from its Monday. Times are working minutes; None without tickets."""

    monday: date
    opened: int
    first_answer_minutes: int | None
    solved: int
    solve_minutes: int | None
    met_percent: int | None

    @property
    def label(self) -> str:
        """The Monday as a short date, such as "3 Mar"."""
        return f"{self.monday.day} {self.monday:%b}"


def weeks() -> list[Week]:
    """Returns the last twelve weeks, the present one last."""
    today = timezone.localdate()
    this_monday = today - timedelta(days=today.weekday())
    mondays = [this_monday - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    opened = _opened(mondays[0])
    solved = _solved(mondays[0])
    return [
        _week(monday, opened.get(monday, Opened()), solved.get(monday, Solved()))
        for monday in mondays
    ]


def _week(monday: date, opened: Opened, solved: Solved) -> Week:
    return Week(
        monday,
        opened=opened.tickets,
        first_answer_minutes=opened.first_answer_minutes,
        solved=solved.tickets,
        solve_minutes=solved.solve_minutes,
        met_percent=solved.met_percent,
    )


def _opened(since: date) -> dict[date, Opened]:
    rows = (
        Ticket.objects.filter(created_at__date__gte=since)
        .order_by()
        .annotate(week=TruncWeek("created_at"))
        .values("week")
        .annotate(all=Count("pk"), first=Avg("first_answer_minutes"))
    )
    return {
        _monday(row["week"]): Opened(row["all"], _rounded(row["first"])) for row in rows
    }


def _solved(since: date) -> dict[date, Solved]:
    """Groups by the week of solving; a ticket counts as met if both targets were met."""
    kept = Q(solved_at__lte=F("solve_due_at")) & (
        Q(first_answered_at__isnull=True)
        | Q(first_answered_at__lte=F("first_answer_due_at"))
    )
    rows = (
        Ticket.objects.filter(solved_at__date__gte=since, merged_into=None)
        .order_by()
        .annotate(week=TruncWeek("solved_at"))
        .values("week")
        .annotate(
            all=Count("pk"), met=Count("pk", filter=kept), took=Avg("solve_minutes")
        )
    )
    return {
        _monday(row["week"]): Solved(
            row["all"], _rounded(row["took"]), round(100 * row["met"] / row["all"])
        )
        for row in rows
    }


def top_categories(since: date) -> list[tuple[str, int]]:
    """Returns the most frequent categories since a day, with their counts."""
    rows = (
        Ticket.objects.filter(created_at__date__gte=since)
        .order_by()
        .values("category")
        .annotate(all=Count("pk"))
        .order_by("-all", "category")[:TOP]
    )
    return [(Category(row["category"]).label, row["all"]) for row in rows]


def _monday(week: datetime) -> date:
    return timezone.localtime(week).date()


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, in SVG units: y counts from the top."""

    x: int
    y: int
    height: int
    label: str
    value: str


CHART_HEIGHT = 120
BAR_STEP = 48


def bars(
    values: Iterable[tuple[str, int | None]], *, full: int | None = None
) -> list[Bar]:
    """Returns bars scaled to `full`, or to the largest value.

    A missing value becomes a bar of no height and without a number.
    """
    pairs = list(values)
    largest = full or max((value or 0 for _, value in pairs), default=0) or 1
    drawn = []
    for place, (label, value) in enumerate(pairs):
        height = round((value or 0) * CHART_HEIGHT / largest)
        text = "" if value is None else str(value)
        y = CHART_HEIGHT - height
        drawn.append(Bar(place * BAR_STEP, y, height, label, text))
    return drawn
