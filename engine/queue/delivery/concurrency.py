"""Limits how many parcels one runner has in flight to each destination, and in all.

Works like Postfix's queue manager (postconf(5), default_destination_concurrency_limit and
initial_destination_concurrency): a destination starts with few, gains one with each
success, and loses half with each conversation that fails. One that is down is closed for
a while and then probed with a single parcel. So a server that refuses, or that accepts a
connection and then says nothing, costs its own places only.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.queue import retry_schedule
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.routing.routes import RouteKind
from engine.transport.parcel import Cause, Outcome, Parcel
from engine.transport.session_pool import DOWN_SECONDS

# Parcels in flight to one destination, at first and at most, and to all of them.
FIRST = 2
PER_DESTINATION = 20
IN_ALL = 200
# A destination gets at most this fraction of the capacity that is left.
PARTS = 5
# Kept free for destinations that have nothing in flight: a few that fall silent at the
# same moment fill the rest before anything shows it.
RESERVE = 40
# The most for destinations where nothing has succeeded lately, however many such exist.
UNPROVEN = IN_ALL // 2
# A destination with a parcel in flight for this long, or for twice as long as the last one
# took, and no answer since, counts as unproven: it is in doubt whether it still answers.
DOUBT_SECONDS = 3.0
# Parcels in flight for longer count for their own destination only, up to SLOW_IN_ALL. It
# gets no more while everything it has, at least FIRST, is that slow and unanswered.
SLOW_SECONDS = 30.0
SLOW_IN_ALL = 1000

NETWORK_KINDS = (RouteKind.CONNECTION.value, OUTSIDE)


def needs_network(destination: str) -> bool:
    """Returns whether an attempt dials another server; one that does not waits for none."""
    return destination.partition(":")[0] in NETWORK_KINDS


@dataclass(slots=True)
class DestinationState:
    """What the runner has learned about one destination. Times are of the monotonic clock."""

    limit: int = FIRST
    is_proven: bool = False
    closed_until: float = 0.0
    served_at: float = 0.0
    answered_at: float = 0.0
    took: float = 0.0
    tls_failures: int = 0
    tls_failing_since: float = 0.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many more parcels may be claimed, and for which destinations.

    The default is the capacity of a runner that has just started.
    """

    in_all: int = IN_ALL
    unproven: int = UNPROVEN
    limits: Mapping[str, int] = field(default_factory=dict)
    proven: frozenset[str] = frozenset()
    served_at: Mapping[str, float] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()

    @property
    def closed(self) -> list[str]:
        """Destinations that are down, or have as much in flight as they may."""
        return [name for name, limit in self.limits.items() if limit <= 0]

    def shares(self, waiting: Sequence[str]) -> Counter[str]:
        """Distributes the capacity, one parcel at a time, over the waiting destinations.

        `waiting` names those with something due, the longest wait first. Destinations
        that were served longest ago come before them, so that none starves.
        """
        shares: Counter[str] = Counter()
        most = max(1, self.in_all // PARTS)
        left, unproven = self.in_all, self.unproven
        wanting = sorted(waiting, key=lambda name: self.served_at.get(name, 0.0))
        while wanting and left > 0:
            still = []
            for name in wanting:
                is_unproven = name not in self.proven
                limit = min(self.limits.get(name, FIRST), most)
                if shares[name] >= limit or (is_unproven and unproven <= 0):
                    continue
                if left <= 0:
                    break
                if left <= RESERVE and (shares[name] or name in self.busy):
                    continue
                shares[name] += 1
                left -= 1
                unproven -= is_unproven
                still.append(name)
            wanting = still
        return +shares


class ConcurrencyLimits:
    """The limits of one runner. Everything happens on one event loop, so nothing locks."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        down_seconds: float = DOWN_SECONDS,
    ) -> None:
        self._clock = clock
        self._down_seconds = down_seconds
        self._states: defaultdict[str, DestinationState] = defaultdict(DestinationState)
        self._in_flight: dict[int, tuple[Parcel, float]] = {}

    def start(self, parcel: Parcel) -> None:
        """Counts a parcel as in flight until `finish`."""
        if needs_network(parcel.destination):
            now = self._clock()
            self._in_flight[id(parcel)] = parcel, now
            self._states[parcel.destination].served_at = now

    def finish(self, parcel: Parcel) -> None:
        """Frees the parcel's place."""
        if id(parcel) not in self._in_flight:
            return
        _, began_at = self._in_flight.pop(id(parcel))
        state = self._states[parcel.destination]
        if state.answered_at >= began_at:
            state.took = self._clock() - began_at

    def note(self, destination: str, outcomes: Iterable[Outcome]) -> None:
        """Adjusts the limit after an attempt. Any reply shows that the server answers."""
        failed = [one for one in outcomes if one.cause is not Cause.REPLY]
        state = self._states[destination]
        if failed:
            self._note_failure(state, failed[0])
            return
        state.limit = min(state.limit + 1, PER_DESTINATION)
        state.is_proven, state.closed_until = True, 0.0
        state.answered_at = self._clock()
        state.tls_failures = 0

    def capacity(self) -> Capacity:
        """Returns what may be claimed now."""
        now = self._clock()
        in_flight = [(one.destination, at) for one, at in self._in_flight.values()]
        fresh = [name for name, at in in_flight if now - at < SLOW_SECONDS]
        prompt = set(fresh)
        busy = Counter(name for name, _ in in_flight)
        stuck = {
            name
            for name, count in busy.items()
            if count >= FIRST
            and name not in prompt
            and now - self._states[name].answered_at >= SLOW_SECONDS
        }
        proven = self._answering(now)
        doubtful = sum(name not in proven for name in fresh)
        # Doubtful destinations leave the others their capacity, even where they took more
        # than UNPROVEN before they fell silent.
        taken = len(fresh) - doubtful + min(doubtful, UNPROVEN)
        strangers = sum(name not in proven for name, _ in in_flight)
        return Capacity(
            in_all=min(IN_ALL - taken, SLOW_IN_ALL - len(in_flight)),
            unproven=min(UNPROVEN - doubtful, SLOW_IN_ALL - UNPROVEN - strangers),
            limits={
                name: 0
                if now < state.closed_until or name in stuck
                else state.limit - busy[name]
                for name, state in self._states.items()
            },
            proven=proven,
            served_at={name: state.served_at for name, state in self._states.items()},
            busy=frozenset(busy),
        )

    def _answering(self, now: float) -> frozenset[str]:
        """Returns where something succeeded lately and nothing waits for an answer since."""
        oldest: dict[str, float] = {}
        for parcel, at in self._in_flight.values():
            oldest[parcel.destination] = min(at, oldest.get(parcel.destination, at))
        return frozenset(
            name
            for name, state in self._states.items()
            if state.is_proven
            and now - max(state.answered_at, oldest.get(name, now))
            < max(DOUBT_SECONDS, min(2 * state.took, SLOW_SECONDS))
        )

    def distrusted(self) -> set[str]:
        """Returns where TLS has failed for too long to be a passing fault.

        Only while the destination is closed: what waits there is not tried, so that its
        own attempts cannot show the failure. Once it is tried again they can, and a
        failure of hours ago says nothing.
        """
        now = self._clock()
        since = now - retry_schedule.TLS_PATIENCE.total_seconds()
        return {
            name
            for name, state in self._states.items()
            if state.tls_failures >= retry_schedule.TLS_FAILURES
            and state.tls_failing_since <= since
            and now < state.closed_until
        }

    def _note_failure(self, state: DestinationState, outcome: Outcome) -> None:
        now = self._clock()
        if state.is_proven and state.limit > 1:
            state.limit //= 2
        else:
            state.limit, state.is_proven = 1, False
            state.closed_until = now + self._down_seconds
        if outcome.cause is not Cause.TLS:
            state.tls_failures = 0
            return
        if not state.tls_failures:
            state.tls_failing_since = now
        state.tls_failures += 1
