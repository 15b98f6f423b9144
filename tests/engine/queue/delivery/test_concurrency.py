from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.smtp_replies import OK
from engine.queue import retry_schedule
from engine.queue.delivery import concurrency
from engine.queue.delivery.concurrency import (
    FIRST,
    IN_ALL,
    PER_DESTINATION,
    UNPROVEN,
    Capacity,
    ConcurrencyLimits,
)
from engine.transport.connection_errors import NO_ANSWER, NOT_TRUSTED
from engine.transport.parcel import Cause, Outcome, OutcomeState, Parcel

HOP = "connection:1"
NAMES = [f"connection:{number}" for number in range(1, 400)]
TAKEN = [Outcome(1, OutcomeState.RELAYED, OK)]
SILENT = [Outcome(1, OutcomeState.DEFERRED, NO_ANSWER, {}, Cause.UNREACHABLE)]
FALSE = [Outcome(1, OutcomeState.DEFERRED, NOT_TRUSTED, {}, Cause.TLS)]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock: Clock) -> ConcurrencyLimits:
    return ConcurrencyLimits(clock=clock, down_seconds=45.0)


def start(known: ConcurrencyLimits, destination: str, count: int = 1) -> list[Parcel]:
    parcels = [
        cast(Parcel, SimpleNamespace(destination=destination)) for _ in range(count)
    ]
    for parcel in parcels:
        known.start(parcel)
    return parcels


def share(known: ConcurrencyLimits, destination: str = HOP) -> int:
    return known.capacity().shares([destination])[destination]


def test_a_destination_begins_with_few_and_gets_more_with_each_success(
    known: ConcurrencyLimits,
) -> None:
    seen = []
    for _ in range(PER_DESTINATION + 5):
        seen.append(share(known))
        known.note(HOP, TAKEN)

    assert seen[:3] == [FIRST, FIRST + 1, FIRST + 2]
    assert seen[-1] == PER_DESTINATION


def test_a_destination_that_is_down_is_left_alone_and_then_probed_with_one(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    known.note(HOP, SILENT)

    assert share(known) == 0
    assert HOP in known.capacity().closed
    clock.now += 45
    assert share(known) == 1
    known.note(HOP, TAKEN)
    assert share(known) == 2


def test_one_broken_conversation_of_many_closes_nothing(
    known: ConcurrencyLimits,
) -> None:
    for _ in range(PER_DESTINATION):
        known.note(HOP, TAKEN)

    known.note(HOP, SILENT)

    assert share(known) == PER_DESTINATION // 2


def test_what_is_under_way_counts_until_it_is_finished(
    known: ConcurrencyLimits,
) -> None:
    parcels = start(known, HOP, FIRST)
    assert HOP in known.capacity().closed

    known.finish(parcels[0])
    assert share(known) == 1


def test_however_many_destinations_say_nothing_one_that_answers_has_room(
    known: ConcurrencyLimits,
) -> None:
    known.note(HOP, TAKEN)
    for name in NAMES[1:]:
        for _ in range(known.capacity().shares([name, HOP])[name]):
            start(known, name)

    assert known.capacity().in_all == IN_ALL - UNPROVEN
    assert share(known) > 0


def test_what_hangs_for_long_takes_no_common_room(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    for name in NAMES[:100]:
        start(known, name)
    assert known.capacity().in_all == IN_ALL - 100

    clock.now += concurrency.SLOW_SECONDS

    assert known.capacity().in_all == IN_ALL
    assert share(known) == 1
    assert HOP in NAMES[:100]


def test_many_that_worked_and_fall_silent_leave_room_for_one_that_answers(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    """An hour in which a provider's servers accept connections and go silent.

    Each session times out after ten minutes; the working server answers immediately.
    """
    silent, hangs = NAMES[1:61], list[tuple[float, Parcel]]()
    for name in (HOP, *silent):
        for _ in range(PER_DESTINATION):
            known.note(name, TAKEN)
    served, most = [clock.now], 0

    end = clock.now + 3600
    while clock.now < end:
        while hangs and hangs[0][0] + 600 <= clock.now:
            _, parcel = hangs.pop(0)
            known.note(parcel.destination, SILENT)
            known.finish(parcel)
        room = known.capacity()
        shares = room.shares([n for n in (*silent, HOP) if n not in room.closed])
        for name, count in shares.items():
            hangs += [(clock.now, one) for one in start(known, name, count)]
        if shares[HOP]:
            served.append(clock.now)
        for at, parcel in [pair for pair in hangs if pair[1].destination == HOP]:
            known.note(HOP, TAKEN)
            known.finish(parcel)
            hangs.remove((at, parcel))
        most = max(most, len(hangs))
        clock.now += 1

    waits = [later - earlier for earlier, later in pairwise([*served, end])]
    assert max(waits) <= 1
    assert most <= concurrency.SLOW_IN_ALL // 2


def test_what_hangs_everywhere_leaves_room_for_one_that_answers(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    """More servers hang than parcels can be in progress."""
    known.note(HOP, TAKEN)
    many = [f"connection:{number}" for number in range(1000, 2200)]

    for _ in range(30):
        room = known.capacity()
        shares = room.shares([name for name in many if name not in room.closed])
        for name, count in shares.items():
            start(known, name, count)
        clock.now += concurrency.SLOW_SECONDS

    assert share(known) > 0


def test_slow_parcels_stop_a_destination_only_while_none_is_answered(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    for _ in range(PER_DESTINATION):
        known.note(HOP, TAKEN)
    parcels = start(known, HOP, 4)
    clock.now += concurrency.SLOW_SECONDS
    assert HOP in known.capacity().closed

    known.note(HOP, TAKEN)
    known.finish(parcels[0])
    assert share(known) == PER_DESTINATION - 3


def test_one_that_always_takes_its_time_is_not_in_doubt(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    [first] = start(known, HOP)
    clock.now += 8
    known.note(HOP, TAKEN)
    known.finish(first)
    [parcel] = start(known, HOP)

    clock.now += 8
    assert HOP in known.capacity().proven
    clock.now += 9
    assert HOP not in known.capacity().proven
    known.finish(parcel)
    assert HOP in known.capacity().proven


def test_those_served_longest_ago_come_first(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    many = NAMES[: UNPROVEN + 10]
    served: set[str] = set()
    for _ in range(3):
        clock.now += 1
        shares = known.capacity().shares([name for name in many if name != HOP])
        for name in shares:
            [parcel] = start(known, name)
            known.finish(parcel)
        served |= set(shares)

    assert served == set(many) - {HOP}


def test_where_tls_fails_for_a_quarter_of_an_hour_is_not_trusted(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    for _ in range(retry_schedule.TLS_FAILURES - 1):
        known.note(HOP, FALSE)
    clock.now += retry_schedule.TLS_PATIENCE.total_seconds()
    assert known.distrusted() == set()

    known.note(HOP, FALSE)
    assert known.distrusted() == {HOP}

    known.note(HOP, SILENT)
    assert known.distrusted() == set()


def test_where_tls_failed_hours_ago_nothing_is_distrusted_untried(
    known: ConcurrencyLimits, clock: Clock
) -> None:
    for _ in range(retry_schedule.TLS_FAILURES):
        known.note(HOP, FALSE)
        clock.now += retry_schedule.TLS_PATIENCE.total_seconds()
    known.note(HOP, FALSE)
    assert known.distrusted() == {HOP}

    clock.now += 8 * 3600
    assert known.distrusted() == set()


@given(
    waiting=st.lists(st.sampled_from(NAMES[:60]), unique=True),
    limits=st.dictionaries(st.sampled_from(NAMES[:60]), st.integers(-5, 20)),
    proven=st.frozensets(st.sampled_from(NAMES[:60])),
    in_all=st.integers(-10, IN_ALL),
    unproven=st.integers(-10, UNPROVEN),
)
def test_shares_are_fair_and_within_every_limit(
    waiting: list[str],
    limits: dict[str, int],
    proven: frozenset[str],
    in_all: int,
    unproven: int,
) -> None:
    room = Capacity(in_all=in_all, unproven=unproven, limits=limits, proven=proven)

    shares = room.shares(waiting)

    most = max(1, in_all // concurrency.PARTS)
    assert sum(shares.values()) <= max(0, in_all)
    assert sum(n for name, n in shares.items() if name not in proven) <= max(
        0, unproven
    )
    for name, count in shares.items():
        assert name in waiting
        assert 0 < count <= min(limits.get(name, FIRST), most)
    # No destination has two more than another that could have had more.
    if (
        sum(shares.values()) < in_all - concurrency.RESERVE
        and sum(n for name, n in shares.items() if name not in proven) < unproven
    ):
        for name in waiting:
            assert shares[name] == max(0, min(limits.get(name, FIRST), most))
