"""How much each sender may send in a minute, an hour and a day.

A hijacked account or a program that loops would otherwise fill the community's mailboxes
before anybody looks. A sender that exceeds a rate is asked to wait and loses nothing.

Counts stand in the memory of each process and are shared through the database once a
second, so that no command of a session costs a query. Until it has shared them a process
knows only its own: each lets through at most what it accepts of one sender in a second
beyond a rate. Spans are cut by the database's clock, the same for every host.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings

from engine import clock
from engine.mail import smtp_replies
from engine.mail.errors import TemporaryFailure
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.models import Source
from engine.queue.sending_rates import sending_counts
from engine.queue.sending_rates.sending_counts import Count, Key, Totals
from engine.registry import senders
from engine.registry.models import SenderKind
from engine.registry.senders import Sender
from engine.routing.routes import Route, RouteKind, Routes

SPANS = {"minute": 60, "hour": 3600, "day": 86_400}  # seconds
NOTHING = Count()
# What people and other systems send; the rest is the service's own.
COUNTED = (Source.RECEIVE, Source.SUBMISSION, Source.WEBMAIL, Source.API)


class RateExceededError(TemporaryFailure):
    """A sender is asked to wait for so many seconds."""

    def __init__(self, kind: SenderKind, exceeded: Exceeded) -> None:
        self.retry_after = exceeded.retry_after
        is_messages = exceeded.what == "messages"
        base = (
            smtp_replies.SENDS_TOO_OFTEN
            if is_messages
            else smtp_replies.SENDS_TO_TOO_MANY
        )
        super().__init__(
            base.saying(
                f"{_WHO[kind]} may send {_WHAT[exceeded.what].format(exceeded.limit)} "
                f"in one {exceeded.span}; try again in {_in_words(exceeded.retry_after)}, "
                "or ask the helpdesk for more"
            )
        )


class Exceeded(NamedTuple):
    """Which rate is spent, and in how many seconds its span is over."""

    what: str
    span: str
    limit: int
    retry_after: int


@dataclass(slots=True)
class Meter:
    """What senders sent lately: as all processes shared it, and what this one adds."""

    clock: Callable[[], float] = clock.held
    _shared: dict[Key, Count] = field(default_factory=dict)
    _own: dict[Key, Count] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sharing: threading.Lock = field(default_factory=threading.Lock)

    def check(
        self, known: Routes, sender: Sender, *, messages: int = 0, recipients: int = 0
    ) -> None:
        """Raise RateExceededError where so many more are more than the sender may.

        The first message of a span always passes: one that alone exceeds a rate would
        otherwise wait indefinitely.
        """
        now = self.clock()
        moment = datetime.fromtimestamp(now, UTC)
        factor = known.allowances.factor_of(sender, moment)
        more = Count(messages, recipients)
        with self._lock:
            # The longest span first: where two are spent, it says how long to wait.
            for key, ends in reversed(list(_keys(sender, now))):
                spent = self._total(key)
                exceeded = _exceeded(sender, key, spent, more, factor, ends - now)
                if exceeded is not None:
                    self._add(key, Count(deferred=1))
                    raise RateExceededError(sender.kind, exceeded)

    def note(self, sent: Iterable[tuple[Sender, Count]]) -> None:
        """Count what was accepted."""
        now = self.clock()
        with self._lock:
            for sender, count in sent:
                for key, _ in _keys(sender, now):
                    self._add(key, count)

    def look(self, asked: Sequence[Sender]) -> None:
        """Learn what other processes sent for these, where nobody does so each second."""
        clock.now()  # nobody else here asks each second what the time is
        keys = [key for one in asked for key, _ in _keys(one, self.clock())]
        found = sending_counts.read(keys)
        with self._lock:
            self._shared.update(found)

    def share(self) -> list[Totals]:
        """Write down what this process counted; the totals of what it wrote.

        Where the database cannot be written, it goes on counting. A second caller at the
        same time has nothing to do.
        """
        if not self._sharing.acquire(blocking=False):
            return []
        try:
            with self._lock:
                mine = dict(self._own)
            written = sending_counts.add(mine)
            self._settle(mine, written)
            return written
        finally:
            self._sharing.release()

    def clear(self) -> None:
        with self._lock:
            self._shared.clear()
            self._own.clear()

    def _settle(self, mine: dict[Key, Count], written: Sequence[Totals]) -> None:
        now = self.clock()
        with self._lock:
            for key, count in mine.items():
                left = self._own[key].minus(count)
                if left.is_nothing:
                    del self._own[key]
                else:
                    self._own[key] = left
            self._shared.update((row.key, row.count) for row in written)
            over = [key for key in self._shared if key.starts + SPANS[key.span] <= now]
            for key in over:
                del self._shared[key]

    def _total(self, key: Key) -> Count:
        return self._shared.get(key, NOTHING).plus(self._own.get(key, NOTHING))

    def _add(self, key: Key, count: Count) -> None:
        self._own[key] = self._own.get(key, NOTHING).plus(count)


meter = Meter()


def check_sender(
    known: Routes,
    senders_of_it: Iterable[Sender],
    *,
    messages: int = 0,
    recipients: int = 0,
) -> None:
    """Raise RateExceededError where any of them may not send so many more now."""
    for sender in senders_of_it:
        meter.check(known, sender, messages=messages, recipients=recipients)


def check_route(known: Routes, route: Route) -> None:
    """Raise RateExceededError where a list is written to more than it may be."""
    for sender, members in _lists(known, [route.destination]):
        meter.check(known, sender, messages=1, recipients=members)


def check_message(
    known: Routes, sent_by: list[Sender], recipients: int, destinations: Sequence[str]
) -> None:
    """The checks of a whole message at once, for what has no session. One query."""
    lists = list(_lists(known, destinations))
    meter.look([*sent_by, *(sender for sender, _ in lists)])
    check_sender(known, sent_by, messages=1, recipients=recipients)
    for sender, members in lists:
        meter.check(known, sender, messages=1, recipients=members)


def note_accepted(known: Routes, batch: Iterable[Incoming]) -> None:
    """Count messages that are committed."""
    meter.note(pair for incoming in batch for pair in _counted(known, incoming))


def _counted(known: Routes, incoming: Incoming) -> Iterator[tuple[Sender, Count]]:
    if incoming.source not in COUNTED:
        return
    whole = Count(1, len(incoming.envelope.recipients))
    for sender in senders.of(
        incoming.organisation_id,
        person_id=incoming.person_id,
        connection_id=incoming.connection_id,
        key_id=incoming.key_id,
    ):
        yield sender, whole
    for sender, members in _lists(known, incoming.destinations):
        yield sender, Count(1, members)


def _lists(known: Routes, destinations: Iterable[str]) -> Iterator[tuple[Sender, int]]:
    """The lists among the destinations, each with how many it reaches."""
    for destination in destinations:
        kind, _, row_id = destination.partition(":")
        facts = known.list(int(row_id)) if kind == RouteKind.LIST else None
        if facts is not None:
            sender = Sender(SenderKind.LIST, facts.id, facts.organisation_id)
            yield sender, len(facts.members)


def _keys(sender: Sender, now: float) -> Iterator[tuple[Key, float]]:
    """What its counts stand under, one a span, and when each span is over."""
    for span, length in SPANS.items():
        starts = int(now // length * length)
        yield Key(str(sender), span, starts), starts + length


def _exceeded(
    sender: Sender, key: Key, spent: Count, more: Count, factor: int, left: float
) -> Exceeded | None:
    for what in ("messages", "recipients"):
        asked, used = getattr(more, what), getattr(spent, what)
        rates = getattr(settings.POSTERN, f"{sender.kind}_{what}")
        limit = getattr(rates, key.span) * factor
        if asked and used and used + asked > limit:
            return Exceeded(what, key.span, limit, int(left) + 1)
    return None


def _in_words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


_WHO = {
    SenderKind.PERSON: "One person",
    SenderKind.CONNECTION: "One connection",
    SenderKind.KEY: "One key",
    SenderKind.LIST: "People who write to this list",
    SenderKind.ORGANISATION: "One organisation",
}
_WHAT = {"messages": "{} messages", "recipients": "to {} recipients"}
