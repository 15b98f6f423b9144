"""How a moment is told, on every screen alike: "23 November 2026 at 10:24am"."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext


def worded(moment: datetime, style: str = "full") -> str:
    """A moment in the reader's time zone.

    `style="short"` gives the time alone for today, else the date.
    """
    local = timezone.localtime(moment)
    clock = f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
    if style == "short":
        if local.date() == timezone.localdate():
            return clock
        return date_format(local, "j M" if _is_this_year(local) else "j M Y")
    return gettext("%(date)s at %(clock)s") % {
        "date": date_format(local, "j F Y"),
        "clock": clock,
    }


def _is_this_year(local: datetime) -> bool:
    return local.year == timezone.localdate().year
