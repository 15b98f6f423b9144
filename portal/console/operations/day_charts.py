"""Charts of the last day, and a table with the same figures by the hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from engine.health.metrics import minute_samples
from engine.health.models import Sample

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
QUARTERS = DAY // QUARTER
# In units of the SVG drawing.
HEIGHT, STEP = 100, 6


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of the samples: its title, unit, and which of several values is the worst."""

    key: str
    title: str
    worst: Callable[[Iterable[float]], float] = max
    scale: float = 1.0
    full: float = 0.0
    """The value at the top of the chart; 0 takes the largest of the day."""


MEASURES = (
    Measure("accepted", "Messages accepted in a minute"),
    Measure("waiting", "Recipients waiting"),
    Measure("oldest", "Oldest message in the queue, minutes", scale=1 / 60),
    Measure("jobs", "Jobs waiting"),
    Measure("disk", "Free room on the fullest disk, per cent", worst=min, full=100.0),
    Measure("lag", "Event loop late, milliseconds", scale=1000),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in units of the drawing; y counts from the top."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One bar for each quarter of an hour; none for quarters without samples."""

    title: str
    bars: Sequence[Bar]
    most: str
    least: str


@dataclass(frozen=True, slots=True)
class Hour:
    """A row of the table: the worst value of each measure in that hour."""

    at: datetime
    cells: Sequence[tuple[str, str]]


def last_day(now: datetime) -> tuple[list[Chart], list[Hour]]:
    """Returns the charts, and the table with the newest hour first. One query."""
    found = minute_samples.since(now - DAY)
    return [_chart(one, found, now) for one in MEASURES], _hours(found)


def _chart(measure: Measure, found: Sequence[Sample], now: datetime) -> Chart:
    quarters: defaultdict[int, list[float]] = defaultdict(list)
    for sample in found:
        if measure.key in sample.values:
            place = QUARTERS - 1 - int((now - sample.at) / QUARTER)
            quarters[max(0, place)].append(sample.values[measure.key] * measure.scale)
    worst = {place: measure.worst(values) for place, values in quarters.items()}
    full = measure.full or max(worst.values(), default=0) or 1
    bars = [
        Bar(place * STEP, round(HEIGHT - height, 1), round(height, 1))
        for place, value in sorted(worst.items())
        for height in [min(HEIGHT, HEIGHT * value / full)]
    ]
    values = list(worst.values())
    return Chart(measure.title, bars, _figure(values, max), _figure(values, min))


def _hours(found: Sequence[Sample]) -> list[Hour]:
    hours: defaultdict[datetime, list[Sample]] = defaultdict(list)
    for sample in found:
        # In UTC: the two hours of one name, when the clocks go back, are equal otherwise.
        began = timezone.localtime(sample.at).replace(minute=0, second=0, microsecond=0)
        hours[began.astimezone(UTC)].append(sample)
    return [
        Hour(at, [(one.title, _worst(one, rows)) for one in MEASURES])
        for at, rows in sorted(hours.items(), reverse=True)
    ]


def _worst(measure: Measure, rows: Sequence[Sample]) -> str:
    values = [row.values[measure.key] for row in rows if measure.key in row.values]
    return _figure([value * measure.scale for value in values], measure.worst)


def _figure(values: Sequence[float], choose: Callable[[Sequence[float]], float]) -> str:
    if not values:
        return "no figure"
    value = choose(values)
    return f"{value:,.0f}" if value == round(value) or value >= 10 else f"{value:.1f}"
