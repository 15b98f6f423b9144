"""Dates and times as every screen shows and reads them."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from engine import calendar_days


def format_datetime(moment: datetime, style: str = "full") -> str:
    """Formats a moment in the reader's time zone: "23 November 2026 at 10:24am".

    `style="short"` gives the time alone for today, else the date.
    """
    local = timezone.localtime(moment)
    clock = f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
    if style == "short":
        today = timezone.localdate()
        if local.date() == today:
            return clock
        return date_format(local, "j M" if local.year == today.year else "j M Y")
    return gettext("%(date)s at %(clock)s") % {
        "date": _in_words(local.date(), get_language()),
        "clock": clock,
    }


@lru_cache(maxsize=1024)  # a list has fifty lines of a few days
def _in_words(day: date, language: str | None) -> str:
    return date_format(day, "j F Y")


def start_of_day(text: str) -> datetime | None:
    """Returns midnight of an ISO date in the reader's zone; None for other text."""
    day = _date_of(text)
    return calendar_days.start_of(day) if day else None


def end_of_day(text: str) -> datetime | None:
    """Returns the midnight that ends an ISO date; None for other text and the last date."""
    day = _date_of(text)
    return calendar_days.end_of(day) if day and day != date.max else None


def _date_of(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
