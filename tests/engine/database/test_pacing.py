from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from engine.database import pacing

STATEMENT = 0.002


class Clock:
    """Each look at it and each sleep takes time, and sleeps are counted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[tuple[float, bool]] = []

    def perf_counter(self) -> float:
        self.now += STATEMENT
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps.append((seconds, connection.in_atomic_block))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    yield clock


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_rest_comes_where_it_holds_nobody_up(clock: Clock) -> None:
    with pacing.paced(), transaction.atomic():
        ask()
        ask()

    within = [is_inside for _, is_inside in clock.sleeps]
    # SQLite's one writer must not rest while it has the lock.
    assert within == ([True, True] if connection.vendor == "postgresql" else [False])


@pytest.mark.django_db(transaction=True)
def test_rest_is_longer_than_the_work(clock: Clock) -> None:
    with pacing.paced():
        ask()

    assert all(seconds >= STATEMENT * pacing.REST for seconds, _ in clock.sleeps)
    assert clock.sleeps


@pytest.mark.django_db(transaction=True)
def test_short_work_is_added_up(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LEAST_REST", STATEMENT * pacing.REST * 1.5)

    with pacing.paced():
        for _ in range(4):
            ask()

    expected = 2 if connection.vendor == "postgresql" else 0
    assert len(clock.sleeps) == expected
