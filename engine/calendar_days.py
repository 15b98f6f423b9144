"""Dates as people mean them, and the moments at which they begin and end.

A day on which the clocks change has 23 or 25 hours. So "14 days later" and "the day
before" are worked out on dates in the reader's zone; a timedelta of days added to a
moment counts hours, and lands on another date where that moment is near midnight.

Leases, retry delays and limits are durations, and stay timedeltas.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_YEAR = 365


def start_of(day: date) -> datetime:
    """Returns the first moment of a date in the reader's zone, in UTC."""
    return _moment(day, time.min)


def end_of(day: date) -> datetime:
    """Returns the first moment after a date, in UTC. Raises OverflowError for date.max."""
    return start_of(day + _DAY)


def last_before(moment: datetime) -> date:
    """Returns the last date of a period that ends at a moment, such as a midnight."""
    return timezone.localdate(moment - _INSTANT)


def later(moment: datetime, *, days: int = 0, years: int = 0) -> datetime:
    """Returns the same time of day that many dates later, in UTC.

    A year after 29 February is 28 February. A time of day that the clocks skip becomes
    the one an hour later.
    """
    local = timezone.localtime(moment)
    return _moment(
        _years_later(local.date(), years) + timedelta(days=days),
        local.timetz().replace(tzinfo=None),
    )


def expiry(made_at: datetime, days: int) -> datetime:
    """Returns when a key or password ends that lasts so many days; 365 are one year."""
    if days == _YEAR:
        return later(made_at, years=1)
    return later(made_at, days=days)


def offset_changes(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yields the moments of a period at which the clocks of the reader's zone change."""
    zone = timezone.get_current_timezone()
    at = start
    while at < end:
        following = min(at + _DAY, end)
        if _offset(at, zone) != _offset(following, zone):
            yield _change_between(at, following, zone)
        at = following


def _moment(day: date, at: time) -> datetime:
    zone = timezone.get_current_timezone()
    return datetime.combine(day, at, zone).astimezone(UTC)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _change_between(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Returns the first moment with the later offset, to the second."""
    low, high = int(before.timestamp()), int(after.timestamp())
    old = _offset(datetime.fromtimestamp(low, UTC), zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(datetime.fromtimestamp(middle, UTC), zone) == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
