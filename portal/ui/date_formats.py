"""Dates and times as every screen shows and reads them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext


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
        "date": date_format(local, "j F Y"),
        "clock": clock,
    }


def start_of_day(text: str) -> datetime | None:
    """Returns midnight of an ISO date in the reader's zone; None for other text."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


def end_of_day(text: str) -> datetime | None:
    """Returns the midnight that ends an ISO date; None for other text and the last date."""
    began = start_of_day(text)
    if began is None or began.date() == date.max:
        return None
    return began + timedelta(days=1)
