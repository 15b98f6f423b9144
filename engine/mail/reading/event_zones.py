"""Time zones of calendar files: those of IANA, those of Windows, and written-out ones."""

from __future__ import annotations

import calendar
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import TypeAlias

from icalendar.prop import vRecur, vUTCOffset
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from engine.mail.reading.event_lines import Block

# Names in the database of zones that are no place.
_NO_PLACES = frozenset(("localtime", "Factory"))
_UTC = frozenset(("utc", "z", "gmt", "tzone://microsoft/utc"))
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_YEARLY = frozenset(
    ("FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "WKST")
)
_MAX_RULES = 100  # of one zone
_MAX_MOMENTS = 2_000  # of one file

_Definitions: TypeAlias = dict[str, list["_Rule"] | None]


class Zones:
    """The zones that a file may name, with those that it writes out itself.

    `moments_left` is how many moments of the file are still read.
    """

    def __init__(self, file: Block) -> None:
        self.moments_left = _MAX_MOMENTS
        self._written: _Definitions = {}
        for block in file.named("VTIMEZONE"):
            self._written.setdefault(block.text("TZID"), _rules(block))

    def localise(self, moment: datetime, name: str) -> datetime | None:
        """Returns a local time with its zone; None where the zone is not known.

        A name of IANA or Windows goes before what the file says of it: programs write
        the rules of this year only, and the database has the others.
        """
        zone = _zone(name)
        if zone is None:
            offset = _offset(self._written.get(name), moment)
            zone = None if offset is None else timezone(offset)
        return None if zone is None else moment.replace(tzinfo=zone)


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _NO_PLACES


def _zone(name: str) -> tzinfo | None:
    plain = name.strip(' /"')
    if plain.lower() in _UTC:
        return UTC
    known = WINDOWS_TO_OLSON.get(plain, plain)
    # A name of some program's own may end in one of IANA: /example.com/Europe/London.
    parts = known.split("/")[-4:] if name.startswith("/") else [known]
    for at in range(len(parts)):
        if (key := "/".join(parts[at:])) in _names():
            return zoneinfo.ZoneInfo(key)
    return None


@dataclass(frozen=True, slots=True)
class _Rule:
    """When a zone changes to an offset (RFC 5545 §3.6.5): once, or each year."""

    start: datetime
    before: timedelta
    after: timedelta
    month: int = 0
    day: str = ""
    month_days: tuple[int, ...] = ()
    until: int = 9999

    def latest(self, moment: datetime) -> datetime | None:
        """Returns the latest change until a local time."""
        if not self.month:
            return self.start if self.start <= moment else None
        for year in (moment.year, moment.year - 1):
            if self.start.year <= year <= self.until and (found := _change(self, year)):
                change = datetime.combine(found, self.start.time())
                if change <= moment:
                    return change
        return None


@lru_cache(maxsize=1024)
def _change(rule: _Rule, year: int) -> date | None:
    """Returns the day of a yearly change."""
    length = calendar.monthrange(year, rule.month)[1]
    days = [date(year, rule.month, number + 1) for number in range(length)]
    if rule.month_days:
        days = [day for day in days if day.day in rule.month_days]
    if rule.day and (found := _DAY.fullmatch(rule.day)):
        days = [day for day in days if _DAYS[day.weekday()] == found[2]]
        number = int(found[1] or 1)
        days = days[number - 1 : number] if number > 0 else days[number:][:1]
    return days[0] if days else None


def _rules(block: Block) -> list[_Rule] | None:
    """Returns the rules of a zone; None where one is not of the form that mail has."""
    try:
        return [_rule(inner) for inner in block.blocks[:_MAX_RULES]]
    except (ValueError, OverflowError):
        return None


def _rule(block: Block) -> _Rule:
    """Raises ValueError for a rule of another form."""
    start = datetime.strptime(block.text("DTSTART")[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007
    before, after = (
        vUTCOffset.from_ical(block.text(name))
        for name in ("TZOFFSETFROM", "TZOFFSETTO")
    )
    if block.first("RDATE"):
        raise ValueError("The changes are listed")
    text = block.text("RRULE")
    if not text:
        return _Rule(start, before, after)
    rule = vRecur.from_ical(text)
    months, days = rule.get("BYMONTH", [start.month]), rule.get("BYDAY", [""])
    month_days = tuple(rule.get("BYMONTHDAY", ()))
    is_yearly = rule.get("FREQ") == ["YEARLY"] and rule.get("INTERVAL", [1]) == [1]
    if not is_yearly or not _YEARLY.issuperset(rule):
        raise ValueError("The changes are not yearly")
    if len(months) != 1 or len(days) != 1 or not 1 <= int(months[0]) <= 12:
        raise ValueError("There are several changes a year")
    if not days[0] and not month_days:
        month_days = (start.day,)
    last = rule["UNTIL"][0] if "UNTIL" in rule else date.max
    if not isinstance(last, date):
        raise ValueError("The last change is no day")
    return _Rule(
        start, before, after, int(months[0]), str(days[0]), month_days, last.year
    )


def _offset(rules: list[_Rule] | None, moment: datetime) -> timedelta | None:
    """Returns what a zone is ahead of UTC at a local time."""
    if not rules:
        return None
    changes = [(change, rule) for rule in rules if (change := rule.latest(moment))]
    if not changes:
        return min(rules, key=lambda rule: rule.start).before
    return max(changes, key=lambda found: found[0])[1].after
