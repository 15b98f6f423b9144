"""Limits how many parcels one runner has under way to each destination.

As Postfix's queue manager does (postconf(5), default_destination_concurrency_limit and
initial_destination_concurrency): a destination begins with few, gets one more with each
success, and loses half with each conversation that fails; one that is down is left alone
for a while and then probed with a single parcel. So a server that refuses, or that takes
a connection and says nothing more, costs its own places only.
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

# How many parcels may be under way to one destination, at first and at most, and to all.
FIRST = 2
PER_DESTINATION = 20
IN_ALL = 200
# Of the room that is left, no destination gets more than one part in so many.
PARTS = 5
# Of all, so many are for destinations that have nothing under way: a few that fall silent
# at the same moment fill the rest before anything shows it.
RESERVE = 40
# How many of all may go where nothing has succeeded lately, however many such there are.
UNPROVEN = IN_ALL // 2
# Where something is under way for so long, or for twice as long as the last one took, and
# nothing was answered since, it is in doubt whether the destination still answers: it
# counts as if nothing had succeeded there.
DOUBT_SECONDS = 3.0
# Parcels under way for longer count for their own destination only, up to so many. It
# gets no more while all that it has, at least FIRST, is that slow and none is answered.
SLOW_SECONDS = 30.0
SLOW_IN_ALL = 1000

FAR = (RouteKind.CONNECTION.value, OUTSIDE)


def is_far(destination: str) -> bool:
    """Whether an attempt needs the network: what needs none waits for no next hop."""
    return destination.partition(":")[0] in FAR


@dataclass(slots=True)
class Lane:
    """What the runner knows of one destination."""

    limit: int = FIRST
    is_proven: bool = False
    closed_until: float = 0.0
    served_at: float = 0.0
    answered_at: float = 0.0
    took: float = 0.0
    tls_failures: int = 0
    tls_failing_since: float = 0.0
    last_reply: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """How much more may be claimed, and for which destinations. The default is a runner's first."""

    in_all: int = IN_ALL
    unproven: int = UNPROVEN
    limits: Mapping[str, int] = field(default_factory=dict)
    proven: frozenset[str] = frozenset()
    served_at: Mapping[str, float] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()

    @property
    def closed(self) -> list[str]:
        """Destinations that are down, or have as much under way as they may."""
        return [name for name, limit in self.limits.items() if limit <= 0]

    def shares(self, waiting: Sequence[str]) -> Counter[str]:
        """How many parcels each destination gets, one after another as long as any is left.

        `waiting` names those with something due, the longest wait first; those that were
        served longest ago come before them, so that none is passed over again and again.
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


class Lanes:
    """All destinations of one runner. Everything happens on one event loop."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        down_seconds: float = DOWN_SECONDS,
    ) -> None:
        self._clock = clock
        self._down_seconds = down_seconds
        self._lanes: defaultdict[str, Lane] = defaultdict(Lane)
        self._under_way: dict[int, tuple[Parcel, float]] = {}

    def start(self, parcel: Parcel) -> None:
        """Count a parcel as under way until `finish`."""
        if is_far(parcel.destination):
            now = self._clock()
            self._under_way[id(parcel)] = parcel, now
            self._lanes[parcel.destination].served_at = now

    def finish(self, parcel: Parcel) -> None:
        if id(parcel) not in self._under_way:
            return
        _, began_at = self._under_way.pop(id(parcel))
        lane = self._lanes[parcel.destination]
        if lane.answered_at >= began_at:
            lane.took = self._clock() - began_at

    def note(self, destination: str, outcomes: Iterable[Outcome]) -> None:
        """Learn from an attempt. A reply of any kind shows that the destination answers."""
        failed = [one for one in outcomes if one.cause is not Cause.REPLY]
        lane = self._lanes[destination]
        if failed:
            self._note_failure(lane, failed[0])
            return
        lane.limit = min(lane.limit + 1, PER_DESTINATION)
        lane.is_proven, lane.closed_until = True, 0.0
        lane.answered_at = self._clock()
        lane.tls_failures = 0

    def room(self) -> Room:
        """What may be claimed now."""
        now = self._clock()
        under_way = [(one.destination, at) for one, at in self._under_way.values()]
        fresh = [name for name, at in under_way if now - at < SLOW_SECONDS]
        prompt = set(fresh)
        busy = Counter(name for name, _ in under_way)
        stuck = {
            name
            for name, count in busy.items()
            if count >= FIRST
            and name not in prompt
            and now - self._lanes[name].answered_at >= SLOW_SECONDS
        }
        proven = self._answering(now)
        doubtful = sum(name not in proven for name in fresh)
        # Those of which it is not known whether they answer leave room for the others,
        # even where they took more before they fell silent.
        taken = len(fresh) - doubtful + min(doubtful, UNPROVEN)
        strangers = sum(name not in proven for name, _ in under_way)
        return Room(
            in_all=min(IN_ALL - taken, SLOW_IN_ALL - len(under_way)),
            unproven=min(UNPROVEN - doubtful, SLOW_IN_ALL - UNPROVEN - strangers),
            limits={
                name: 0
                if now < lane.closed_until or name in stuck
                else lane.limit - busy[name]
                for name, lane in self._lanes.items()
            },
            proven=proven,
            served_at={name: lane.served_at for name, lane in self._lanes.items()},
            busy=frozenset(busy),
        )

    def _answering(self, now: float) -> frozenset[str]:
        """Where something has succeeded lately, and nothing waits for an answer since."""
        oldest: dict[str, float] = {}
        for parcel, at in self._under_way.values():
            oldest[parcel.destination] = min(at, oldest.get(parcel.destination, at))
        return frozenset(
            name
            for name, lane in self._lanes.items()
            if lane.is_proven
            and now - max(lane.answered_at, oldest.get(name, now))
            < max(DOUBT_SECONDS, min(2 * lane.took, SLOW_SECONDS))
        )

    def distrusted(self) -> dict[str, str]:
        """Where TLS has failed for long enough to be no passing fault, with the last reply.

        What waits there is not tried while the destination is left alone, so that its own
        attempts cannot show it. Afterwards they can: a fault of hours ago says nothing.
        """
        now = self._clock()
        since = now - retry_schedule.TLS_PATIENCE.total_seconds()
        return {
            name: lane.last_reply
            for name, lane in self._lanes.items()
            if lane.tls_failures >= retry_schedule.TLS_FAILURES
            and lane.tls_failing_since <= since
            and now < lane.closed_until
        }

    def _note_failure(self, lane: Lane, outcome: Outcome) -> None:
        now = self._clock()
        if lane.is_proven and lane.limit > 1:
            lane.limit //= 2
        else:
            lane.limit, lane.is_proven = 1, False
            lane.closed_until = now + self._down_seconds
        if outcome.cause is not Cause.TLS:
            lane.tls_failures = 0
            return
        lane.tls_failing_since = lane.tls_failing_since if lane.tls_failures else now
        lane.tls_failures += 1
        lane.last_reply = str(outcome.reply)
