"""The helpdesk's opening hours, and working time measured by them.

Working time runs on weekdays except bank holidays, from opening to closing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

SATURDAY = 5
_PARTS = {
    "ENG": "England and Wales",
    "WLS": "England and Wales",
    "SCT": "Scotland",
    "NIR": "Northern Ireland",
}


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether the helpdesk is open, and when that changes next."""

    is_open: bool
    changes_at: datetime

    @property
    def days(self) -> str:
        """The weekly hours: "Monday to Friday, 8am to 7pm"."""
        opens, closes = (
            settings.POSTERN.helpdesk_opens,
            settings.POSTERN.helpdesk_closes,
        )
        return f"Monday to Friday, {clock_of(opens)} to {clock_of(closes)}"

    @property
    def closed_on(self) -> str:
        """Such as "bank holidays in England and Wales"."""
        return f"bank holidays in {_PARTS[settings.POSTERN.helpdesk_bank_holidays]}"

    @property
    def sentence(self) -> str:
        """Such as "Open now, until 7pm" or "Closed now. Opens Monday at 8am"."""
        local = timezone.localtime(self.changes_at, _zone())
        clock = clock_of(local)
        if self.is_open:
            return f"Open now, until {clock}"
        return f"Closed now. Opens {date_format(local, 'l j F')} at {clock}"


def status(at: datetime) -> Hours:
    """Returns whether the helpdesk is open at a moment, and until when."""
    for opens, closes in _periods(at):
        if at < opens:
            return Hours(is_open=False, changes_at=opens)
        if at < closes:
            return Hours(is_open=True, changes_at=closes)
    raise AssertionError("Working days never end.")


def working_time(start: datetime, end: datetime) -> timedelta:
    """Returns how long the helpdesk was open between two moments."""
    total = timedelta()
    for opens, closes in _periods(start):
        if opens >= end:
            break
        total += max(min(end, closes) - max(start, opens), timedelta())
    return total


def after(start: datetime, amount: timedelta) -> datetime:
    """Returns the moment at which `amount` of working time has passed since `start`."""
    left = amount
    for opens, closes in _periods(start):
        begins = max(start, opens)
        if begins + left <= closes:
            return begins + left
        left -= max(closes - begins, timedelta())
    raise AssertionError("Working days never end.")


def clock_of(local: datetime | time) -> str:
    """Formats a time of day: "8am", "5:30pm"."""
    minutes = f":{local:%M}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes}{'am' if local.hour < 12 else 'pm'}"


def _periods(start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yields opening periods as (opens, closes), from the first that ends after `start`."""
    day = timezone.localtime(start, _zone()).date()
    while True:
        if day.weekday() < SATURDAY and day not in _bank_holidays():
            opens, closes = _opening(day)
            if closes > start:
                yield opens, closes
        day += timedelta(days=1)


def _opening(day: date) -> tuple[datetime, datetime]:
    # In UTC: Python subtracts two moments of one zone by wall clock, ignoring DST.
    opens, closes = (
        datetime.combine(day, at, _zone()).astimezone(UTC)
        for at in (settings.POSTERN.helpdesk_opens, settings.POSTERN.helpdesk_closes)
    )
    return opens, closes


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


@cache
def _bank_holidays() -> holidays.HolidayBase:
    return holidays.country_holidays(
        "GB", subdiv=settings.POSTERN.helpdesk_bank_holidays
    )
