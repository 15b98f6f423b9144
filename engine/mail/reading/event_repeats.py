"""Says in words how an event repeats (RFC 5545 §3.3.10), without computing when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from icalendar.prop import vRecur

MAX_DATES = 5  # that are named one by one
_MAX_RULE = 300  # characters of a rule that is shown as it is

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
# Not %B: that follows the locale of the process.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WORKING_DAYS = {"MO", "TU", "WE", "TH", "FR"}
_NUMBERS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
_FROM_END = {-1: "last", -2: "second to last"}
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?([A-Z]{2})")
_PARTS = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
        "BYSETPOS",
    ]
)


class _OtherRuleError(ValueError):
    """The rule is not one that a sentence is made of here."""


def in_words(rule: str, start: date | None) -> str:
    """Returns a rule as a phrase such as "every 2 weeks on Monday, 10 times".

    `start` is the first day or moment, in whose zone the last day is told. A rule for
    which there are no words is shown as it is: "repeats: …".
    """
    try:
        parsed = vRecur.from_ical(rule)
        return _phrase(parsed, start)
    except (ValueError, OverflowError):
        return f"repeats: {rule[:_MAX_RULE]}"


def except_on(days: Sequence[date]) -> str:
    """Returns the days on which it does not take place, as a phrase."""
    if not days:
        return ""
    if len(days) > MAX_DATES:
        return f"except on {len(days)} days"
    return f"except on {_joined(map(day_in_words, days))}"


def day_in_words(day: date) -> str:
    """Returns a day as 1 December 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _phrase(rule: Any, start: date | None) -> str:
    unit = _UNITS.get(rule.get("FREQ", [""])[0])
    interval = int(rule.get("INTERVAL", [1])[0])
    if unit is None or interval < 1 or not _PARTS.issuperset(rule):
        raise _OtherRuleError
    words = f"every {unit}" if interval == 1 else f"every {interval} {unit}s"
    words += _days(rule, unit, start)
    if "COUNT" in rule:
        count = int(rule["COUNT"][0])
        words += ", once" if count == 1 else f", {count} times"
    if "UNTIL" in rule:
        words += f", until {day_in_words(_last_day(rule['UNTIL'][0], start))}"
    return words


def _days(rule: Any, unit: str, start: date | None) -> str:
    days = [str(day) for day in rule.get("BYDAY", ())]
    month_days = [int(day) for day in rule.get("BYMONTHDAY", ())]
    months = [int(month) for month in rule.get("BYMONTH", ())]
    positions = [int(position) for position in rule.get("BYSETPOS", ())]
    if days and month_days:
        raise _OtherRuleError
    if unit in ("day", "week"):
        if month_days or months or positions:
            raise _OtherRuleError
        return f" on {_weekdays(days)}" if days else ""
    if unit == "year":
        return _in_year(days, month_days, months, positions, start)
    if months:
        raise _OtherRuleError
    return _in_month(days, month_days, positions)


def _in_month(days: list[str], month_days: list[int], positions: list[int]) -> str:
    if month_days:
        if positions or any(not -1 <= day <= 31 or not day for day in month_days):
            raise _OtherRuleError
        named = ("the last day" if day == -1 else f"day {day}" for day in month_days)
        return f" on {_joined(named)}"
    if not days:
        return ""
    if len(positions) == 1 and set(days) == _WORKING_DAYS:
        return f" on the {_ordinal(positions[0])} working day"
    if len(positions) == 1 and len(days) == 1 and days[0] in _DAYS:
        return f" on the {_ordinal(positions[0])} {_DAYS[days[0]]}"
    if positions:
        raise _OtherRuleError
    return f" on {_joined(map(_numbered, days))}"


def _in_year(
    days: list[str],
    month_days: list[int],
    months: list[int],
    positions: list[int],
    start: date | None,
) -> str:
    if not days and not month_days and not months and not positions:
        return ""
    if len(months) != 1 or not 1 <= months[0] <= 12:
        raise _OtherRuleError
    month = _MONTHS[months[0] - 1]
    if days:
        return f"{_in_month(days, [], positions)} of {month}"
    if not month_days and start is not None:
        month_days = [start.day]
    if positions or len(month_days) != 1 or not 1 <= month_days[0] <= 31:
        raise _OtherRuleError
    return f" on {month_days[0]} {month}"


def _weekdays(days: list[str]) -> str:
    if set(days) == _WORKING_DAYS:
        return "Monday to Friday"
    if not set(days) <= set(_DAYS):
        raise _OtherRuleError
    return _joined(_DAYS[day] for day in days)


def _numbered(day: str) -> str:
    found = _WEEKDAY.fullmatch(day)
    if found is None or not found[1] or found[2] not in _DAYS:
        raise _OtherRuleError
    return f"the {_ordinal(int(found[1]))} {_DAYS[found[2]]}"


def _ordinal(number: int) -> str:
    word = _NUMBERS.get(number) or _FROM_END.get(number)
    if word is None:
        raise _OtherRuleError
    return word


def _last_day(until: object, start: date | None) -> date:
    if not isinstance(until, date):
        raise _OtherRuleError
    if not isinstance(until, datetime):
        return until
    zone: tzinfo | None = start.tzinfo if isinstance(start, datetime) else None
    if zone is not None and until.tzinfo is not None:
        until = until.astimezone(zone)
    return until.date()


def _joined(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
