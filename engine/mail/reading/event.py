"""Reads calendar invitations (RFC 5545, RFC 5546) as events to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote

from icalendar.prop import vDDDTypes

from engine.mail.mime import charset
from engine.mail.reading import event_lines, event_repeats
from engine.mail.reading.event_lines import Block, Property
from engine.mail.reading.event_zones import Zones

MAX_EVENTS = 50  # of one file
MAX_ATTENDEES = 200  # of one event
_MAX_LINE = 1000  # characters of a name, a place or a summary
_MAX_DATES = 1000  # on which an event does not take place
_YEARS = range(2, 9999)

METHODS = frozenset(
    [
        "PUBLISH",
        "REQUEST",
        "REPLY",
        "ADD",
        "CANCEL",
        "REFRESH",
        "COUNTER",
        "DECLINECOUNTER",
    ]
)
ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentatively accepted",
    "DELEGATED": "delegated to somebody else",
    "NEEDS-ACTION": "not answered yet",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, or a time with its zone.

    A time without a zone is local wherever it is read (RFC 5545 §3.3.5), unless `zone`
    names one that is not known here: then it is local there.
    """

    at: date
    zone: str = ""

    @property
    def is_day(self) -> bool:
        """Whether it is a whole day."""
        return not isinstance(self.at, datetime)


@dataclass(frozen=True, slots=True)
class Person:
    """Who invites, or is invited; `answer` is in words, empty where it is not told."""

    name: str
    address: str
    answer: str = ""
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `end` is the last day itself for whole days, None if it is not told.

    `repeats` is a phrase, empty for an event that takes place once. `status` is
    TENTATIVE, CONFIRMED, CANCELLED or empty. `instead_of` is the time of the one in a
    series that this replaces. `more_attendees` counts those who are not listed.
    """

    uid: str
    summary: str
    start: Moment | None
    end: Moment | None
    repeats: str
    organiser: Person | None
    attendees: tuple[Person, ...]
    more_attendees: int
    place: str
    description: str
    url: str
    status: str
    sequence: int
    instead_of: Moment | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a file asks or says about its events; `method` is of RFC 5546, or empty."""

    method: str
    events: tuple[Event, ...]
    more_events: int = 0


def read(file: str | bytes) -> Invitation | None:
    """Returns the events of a calendar file; None where it holds none. Never raises.

    Moments are in the zones of their sender: the caller shows them in the reader's.
    """
    text = file if isinstance(file, str) else charset.decode(file)
    root = event_lines.read(text.removeprefix("\ufeff"))
    blocks = list(root.named("VEVENT"))
    if not blocks:
        return None
    zones = Zones(root)
    method = next((block.text("METHOD").upper() for block in root.blocks), "")
    return Invitation(
        method if method in METHODS else "",
        tuple(_event(block, zones) for block in blocks[:MAX_EVENTS]),
        max(0, len(blocks) - MAX_EVENTS),
    )


def _event(block: Block, zones: Zones) -> Event:
    start = _moment(block.first("DTSTART"), zones)
    attendees = block.properties.get("ATTENDEE", [])
    organiser = block.first("ORGANIZER")
    sequence = block.text("SEQUENCE")[:9]
    return Event(
        uid=_line(block, "UID"),
        summary=_line(block, "SUMMARY"),
        start=start,
        end=_end(block, start, zones),
        repeats=_repeats(block, start, zones),
        organiser=_person(organiser) if organiser else None,
        attendees=tuple(map(_person, attendees[:MAX_ATTENDEES])),
        more_attendees=max(0, len(attendees) - MAX_ATTENDEES),
        place=_line(block, "LOCATION"),
        description=block.text("DESCRIPTION").replace("\r\n", "\n"),
        url=_line(block, "URL"),
        status=_line(block, "STATUS").upper(),
        sequence=int(sequence) if sequence.isdecimal() else 0,
        instead_of=_moment(block.first("RECURRENCE-ID"), zones),
    )


def _line(block: Block, name: str) -> str:
    return _on_one_line(block.text(name))


def _on_one_line(text: str) -> str:
    return charset.on_one_line(text[:_MAX_LINE]).strip()


def _person(one: Property) -> Person:
    address = one.text.strip()
    if address.lower().startswith("mailto:"):
        address = unquote(address[len("mailto:") :])
    return Person(
        _on_one_line(one.parameters.get("CN", "")),
        _on_one_line(address),
        ANSWERS.get(one.parameters.get("PARTSTAT", "").upper(), ""),
        one.parameters.get("ROLE", "").upper() == "OPT-PARTICIPANT",
    )


def _moment(one: Property | None, zones: Zones) -> Moment | None:
    return next(_moments(one, zones), None) if one else None


def _moments(one: Property, zones: Zones) -> Iterator[Moment]:
    """Yields the moments of a property, without those that are none.

    Nor those at the ends of the calendar, which another zone may put beyond it.
    """
    for text in one.raw.split(",", _MAX_DATES)[:_MAX_DATES]:
        zones.moments_left -= 1
        if zones.moments_left < 0:
            return
        try:
            at = vDDDTypes.from_ical(text.strip())
        except ValueError:
            continue
        if not isinstance(at, date) or at.year not in _YEARS:
            continue
        if isinstance(at, datetime):
            yield _in_zone(at, one.parameters.get("TZID", ""), zones)
        else:
            yield Moment(at)


def _in_zone(at: datetime, name: str, zones: Zones) -> Moment:
    if at.tzinfo is not None or not name:
        return Moment(at)
    localised = zones.localise(at, name)
    if localised is None:
        return Moment(at, _on_one_line(name))
    return Moment(localised)


def _end(block: Block, start: Moment | None, zones: Zones) -> Moment | None:
    if start is None:
        return None
    end = _moment(block.first("DTEND"), zones) or _after(start, block.text("DURATION"))
    if end is None or end.is_day != start.is_day:
        return None
    if not end.is_day:
        return end
    # RFC 5545 §3.6.1: the day after the last one.
    return Moment(end.at - timedelta(days=1)) if end.at > start.at else start


def _after(start: Moment, text: str) -> Moment | None:
    """Returns a moment some time later: days by the calendar, hours by the clock."""
    try:
        length = vDDDTypes.from_ical(text)
        if not isinstance(length, timedelta):
            return None
        at = start.at + timedelta(days=length.days)
        if at.year not in _YEARS:
            return None
        if isinstance(at, datetime) and at.tzinfo is not None:
            exact = at.astimezone(UTC) + timedelta(seconds=length.seconds)
            return Moment(exact.astimezone(at.tzinfo))
        return Moment(at + timedelta(seconds=length.seconds), start.zone)
    except (ValueError, OverflowError):
        return None


def _repeats(block: Block, start: Moment | None, zones: Zones) -> str:
    rule = block.first("RRULE")
    phrases = (
        [event_repeats.in_words(rule.raw, start.at if start else None)] if rule else []
    )
    if block.first("RDATE"):
        phrases.append("on further days that the file lists")
    excepted = [
        moment.at.date() if isinstance(moment.at, datetime) else moment.at
        for one in block.properties.get("EXDATE", [])[:_MAX_DATES]
        for moment in _moments(one, zones)
    ]
    phrases.append(event_repeats.except_on(sorted(set(excepted))))
    return ", ".join(filter(None, phrases))
