"""Parses and formats the dates of header fields (RFC 5322 §3.3, obsolete zones §4.3)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_HOURS = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
_HOURS |= {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_DATE = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4}|\d{2})"
    r"\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s+([+-])(\d{2})(\d{2})|\s+([A-Za-z]{1,5}))?"
)
_MAX_LENGTH = 100


def parse_date(text: str) -> datetime | None:
    """Returns the date with its offset, UTC where it has none; None where malformed."""
    found = _DATE.match(text[:_MAX_LENGTH].strip())
    if not found or found[2].lower() not in _MONTHS:
        return None
    try:
        return datetime(
            _year(found[3]),
            _MONTHS.index(found[2].lower()) + 1,
            int(found[1]),
            int(found[4]),
            int(found[5]),
            min(int(found[6] or 0), 59),  # a leap second has no datetime
            tzinfo=_zone(found),
        )
    except (ValueError, OverflowError):
        return None


def format_date(moment: datetime) -> str:
    """Returns an aware datetime in the form of a header."""
    day = moment.strftime("%w")
    names = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
    month = _MONTHS[moment.month - 1].capitalize()
    clock = moment.strftime("%H:%M:%S %z")
    # Not %a and %b: those follow the locale of the process.
    return f"{names[int(day)]}, {moment.day:02} {month} {moment.year:04} {clock[:14]}"


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < 50 else 1900)  # RFC 5322 §4.3


def _zone(found: re.Match[str]) -> timezone:
    if found[7]:
        offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
        return timezone(-offset if found[7] == "-" else offset)
    return timezone(timedelta(hours=_HOURS.get((found[10] or "").upper(), 0)))
