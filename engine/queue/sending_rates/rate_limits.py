"""Checks and counts how much each sender sends in a minute, an hour and a day.

A hijacked account, or a program in a loop, would otherwise fill the community's mailboxes
before anybody looks. A sender over a rate is asked to wait and loses nothing.

Counts are kept in the memory of each process and shared through the database once a
second, so that no SMTP command costs a query. Until it has shared them a process knows
only its own: each lets through at most what it accepts from one sender in a second beyond
a rate. Spans follow the database's clock, which is the same for every host.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from engine.database import clock
from engine.mail import smtp_replies
from engine.mail.errors import TemporaryFailure
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.queue.sending_rates import sending_counts
from engine.queue.sending_rates.sending_counts import Count, Key, Totals
from engine.registry import senders
from engine.registry.models import SenderKind
from engine.registry.senders import Sender
from engine.routing.routes import Route, RouteKind, Routes

SPANS = {"minute": 60, "hour": 3600, "day": 86_400}  # seconds
_SHORTEST = min(SPANS.values())
NOTHING = Count()
# Mail from people and other systems. The service's own mail is not limited.
COUNTED = (Source.RECEIVE, Source.SUBMISSION, Source.WEBMAIL, Source.API)


class RateExceededError(TemporaryFailure):
    """A sender is over a rate, and may try again in `retry_after` seconds."""

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
    """A rate that is used up, and the seconds until its span ends."""

    what: str
    span: str
    limit: int
    retry_after: int


@dataclass(slots=True)
class Meter:
    """Recent counts: those that all processes have shared, and those of this one.

    Safe for several threads. `clock` returns the database's time in seconds since 1970.
    """

    clock: Callable[[], float] = clock.estimated_timestamp
    _shared: dict[Key, Count] = field(default_factory=dict)
    _own: dict[Key, Count] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sharing: threading.Lock = field(default_factory=threading.Lock)

    def check(
        self, known: Routes, sender: Sender, *, messages: int = 0, recipients: int = 0
    ) -> None:
        """Raises RateExceededError where this many more would exceed a rate.

        The first message of a span always passes: a message with more recipients than a
        rate allows would otherwise wait indefinitely.
        """
        now = self.clock()
        moment = datetime.fromtimestamp(now, UTC)
        factor = known.allowances.factor_of(sender, moment)
        more = Count(messages, recipients)
        rates = _rates(sender.kind)
        with self._lock:
            # The longest span first: where two are used up, it gives the time to wait.
            for key in reversed(_keys(sender, now)):
                used = self._total(key)
                exceeded = _exceeded(rates, key, used, more, factor, now)
                if exceeded is not None:
                    self._add(key, Count(deferred=1))
                    raise RateExceededError(sender.kind, exceeded)

    def count(self, sent: Iterable[tuple[Sender, Count]]) -> None:
        """Counts what was accepted."""
        now = self.clock()
        with self._lock:
            for sender, count in sent:
                for key in _keys(sender, now):
                    self._add(key, count)

    def load_shared(self, of: Sequence[Sender]) -> None:
        """Reads what all processes sent for these senders, in a process that does not do
        so every second."""
        # Web processes have no loop that asks the database's time every second, either.
        clock.now()
        keys = [key for one in of for key in _keys(one, self.clock())]
        found = sending_counts.read(keys)
        with self._lock:
            self._shared.update(found)

    def share(self) -> list[Totals]:
        """Adds this process's counts to the database; returns the totals of their rows.

        If the database cannot be written, counting goes on. A second caller at the same
        moment has nothing to do.
        """
        if not self._sharing.acquire(blocking=False):
            return []
        try:
            with self._lock:
                mine = dict(self._own)
            # Without the lock, because sessions check and count while the database
            # writes; what they add meanwhile is shared the next time.
            written = sending_counts.add(mine)
            self._subtract_shared(mine, written)
            return written
        finally:
            self._sharing.release()

    def clear(self) -> None:
        """Forgets all counts in memory."""
        with self._lock:
            self._shared.clear()
            self._own.clear()

    def _subtract_shared(
        self, mine: dict[Key, Count], written: Sequence[Totals]
    ) -> None:
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
        shared, own = self._shared.get(key), self._own.get(key)
        if shared is None or own is None:
            return shared or own or NOTHING
        return shared.plus(own)

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
    """Raises RateExceededError where one of the senders may not send this many more now."""
    for sender in senders_of_it:
        meter.check(known, sender, messages=messages, recipients=recipients)


def check_route(known: Routes, route: Route) -> None:
    """Raises RateExceededError where the route is a list that is over its rate."""
    for sender, members in _lists(known, [route.destination]):
        meter.check(known, sender, messages=1, recipients=members)


def check_message(
    known: Routes, sent_by: list[Sender], recipients: int, destinations: Sequence[str]
) -> None:
    """Makes all checks of a message together, for a sender without a session. One query."""
    lists = list(_lists(known, destinations))
    meter.load_shared([*sent_by, *(sender for sender, _ in lists)])
    check_sender(known, sent_by, messages=1, recipients=recipients)
    for sender, members in lists:
        meter.check(known, sender, messages=1, recipients=members)


def count_accepted(known: Routes, batch: Iterable[AcceptedMessage]) -> None:
    """Counts messages that are committed."""
    totals: dict[Sender, Count] = {}
    for accepted in batch:
        for sender, count in _counted(known, accepted):
            totals[sender] = totals.get(sender, NOTHING).plus(count)
    meter.count(totals.items())


def _counted(
    known: Routes, accepted: AcceptedMessage
) -> Iterator[tuple[Sender, Count]]:
    if accepted.source not in COUNTED:
        return
    whole = Count(1, len(accepted.envelope.recipients))
    for sender in senders.of(
        accepted.organisation_id,
        person_id=accepted.person_id,
        connection_id=accepted.connection_id,
        key_id=accepted.key_id,
    ):
        yield sender, whole
    for sender, members in _lists(known, accepted.destinations):
        yield sender, Count(1, members)


def _lists(known: Routes, destinations: Iterable[str]) -> Iterator[tuple[Sender, int]]:
    """Yields the lists among the destinations, each with its number of members."""
    for destination in destinations:
        kind, _, row_id = destination.partition(":")
        facts = known.list(int(row_id)) if kind == RouteKind.LIST else None
        if facts is not None:
            sender = Sender(SenderKind.LIST, facts.id, facts.organisation_id)
            yield sender, len(facts.members)


def _keys(sender: Sender, now: float) -> tuple[Key, ...]:
    """Returns the key of the sender's count in each span."""
    return _keys_of(sender.kind.value, sender.id, int(now // _SHORTEST))


@lru_cache(maxsize=10_000)
def _keys_of(kind: str, row_id: int, minute: int) -> tuple[Key, ...]:
    """Returns the keys for a minute since 1970: every message asks for them several times."""
    seconds = minute * _SHORTEST
    return tuple(
        Key(f"{kind}:{row_id}", span, seconds // length * length)
        for span, length in SPANS.items()
    )


def _rates(kind: SenderKind) -> tuple[Any, Any]:
    """Returns the configured limits of messages and of recipients."""
    service, name = settings.POSTERN, kind.value
    return getattr(service, f"{name}_messages"), getattr(service, f"{name}_recipients")


def _exceeded(
    rates: tuple[Any, Any],
    key: Key,
    used: Count,
    more: Count,
    factor: int,
    now: float,
) -> Exceeded | None:
    for what, wanted, before, limits in (
        ("messages", more.messages, used.messages, rates[0]),
        ("recipients", more.recipients, used.recipients, rates[1]),
    ):
        if not wanted or not before:
            continue
        limit = getattr(limits, key.span) * factor
        if before + wanted > limit:
            ends = key.starts + SPANS[key.span]
            return Exceeded(what, key.span, limit, int(ends - now) + 1)
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
