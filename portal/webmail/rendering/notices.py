"""Invitations, delivery reports and receipts of a message, in words for its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time

from django.utils import timezone
from django.utils.formats import date_format

from engine.mail.reading import event, report
from engine.mail.reading.event import Event, Invitation, Moment
from engine.mail.reading.items import Item, Kind, Reading
from engine.mail.reading.report import DeliveryReport, Receipt

# Invitations and reports that a page reads, and the octets of one.
MOST = 10
OCTETS = 1024 * 1024

_DAY, _TIME, _DAY_AND_TIME = "l j F Y", "H:i", "l j F Y, H:i"
_HEADINGS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
    "DECLINECOUNTER": "The proposed time was declined",
}
_WHAT_NEXT = {
    "REQUEST": "To answer, reply to this message. To add it to your calendar, open the "
    "file below in your calendar program.",
    "CANCEL": "Take it out of your calendar.",
}


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event with its times as words, in the zone of the reader."""

    heading: str
    when: str
    what_next: str
    event: Event

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.heading == "Cancelled" or self.event.status == "CANCELLED"


@dataclass(frozen=True, slots=True)
class Notices:
    """What a message says in a form for programs, and whether some of it is left out."""

    events: list[ShownEvent]
    reports: list[DeliveryReport]
    receipts: list[Receipt]
    more_events: int = 0


def notices_of(reading: Reading) -> Notices:
    """Returns the events, reports and receipts of a message."""
    invitations = [
        found
        for item in _small(reading, Kind.INVITATION)
        if (found := event.read(item.part.data()))
    ]
    reports = [
        report.read(item.part.data(), item.part.content_type)
        for item in _small(reading, Kind.REPORT)
    ]
    return Notices(
        events=[shown for invitation in invitations for shown in _events(invitation)],
        reports=[one for one in reports if isinstance(one, DeliveryReport)],
        receipts=[one for one in reports if isinstance(one, Receipt)],
        more_events=sum(invitation.more_events for invitation in invitations),
    )


def _small(reading: Reading, kind: Kind) -> Iterator[Item]:
    of_kind = [item for item in reading.offered if item.kind is kind]
    return (item for item in of_kind[:MOST] if item.part.size <= OCTETS)


def _events(invitation: Invitation) -> Iterator[ShownEvent]:
    heading = _HEADINGS.get(invitation.method, "Event")
    what_next = _WHAT_NEXT.get(invitation.method, "")
    for one in invitation.events:
        yield ShownEvent(heading, when(one.start, one.end), what_next, one)


def when(start: Moment | None, end: Moment | None) -> str:
    """Returns when something takes place, in words and in the zone of the reader."""
    if start is None:
        return "No time is given"
    begins = _local(start)
    if end is None or _local(end) == begins:
        return _words(start)
    ends = _local(end)
    if start.is_day or begins.date() != ends.date():
        if start.is_day and begins == ends:
            return _words(start)
        return f"{_words(start)} to {_words(end)}"
    return (
        f"{date_format(begins, _DAY_AND_TIME)} to {date_format(ends, _TIME)}"
        f"{_zone(start)}"
    )


def _words(moment: Moment) -> str:
    if moment.is_day:
        return date_format(moment.at, _DAY)
    return f"{date_format(_local(moment), _DAY_AND_TIME)}{_zone(moment)}"


def _local(moment: Moment) -> datetime:
    """Returns the moment for the reader; one without a known zone is as it is written."""
    if not isinstance(moment.at, datetime):
        return datetime.combine(moment.at, time.min)
    return timezone.localtime(moment.at) if moment.at.tzinfo else moment.at


def _zone(moment: Moment) -> str:
    if isinstance(moment.at, datetime) and moment.at.tzinfo is None and moment.zone:
        return f" (as written, in the time zone “{moment.zone}”)"
    return ""
