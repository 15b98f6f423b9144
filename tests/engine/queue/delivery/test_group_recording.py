from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain

import pytest
from django.db import OperationalError

from engine.mail.smtp_replies import Reply
from engine.queue.delivery import group_recording
from engine.queue.delivery.group_recording import GroupRecorder
from engine.transport.parcel import Outcome, OutcomeState

OK = Reply(250, "2.0.0", "Ok")


def outcome(number: int) -> Outcome:
    return Outcome(number, OutcomeState.RELAYED, OK)


class Database:
    """Records outcomes slowly, and notes which came together."""

    def __init__(self, *, refuses: int = 0, error: Exception | None = None) -> None:
        self.batches: list[list[int]] = []
        self._refuses = refuses
        self._error = error

    async def __call__(self, outcomes: Sequence[Outcome]) -> list[int]:
        ids = [one.recipient_id for one in outcomes]
        self.batches.append(ids)
        await asyncio.sleep(0.001)
        if self._error and self._refuses in ids:
            raise self._error
        return [100 + one for one in ids]


async def record(database: Database, count: int) -> list[list[int] | BaseException]:
    recorder = GroupRecorder(database)
    return await asyncio.gather(
        *(recorder.record([outcome(number)]) for number in range(1, count + 1)),
        return_exceptions=True,
    )


async def test_outcomes_that_wait_are_recorded_together() -> None:
    database = Database()
    recorder = GroupRecorder(database)
    first = asyncio.create_task(recorder.record([outcome(1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    rest = await asyncio.gather(
        *(recorder.record([outcome(number)]) for number in (2, 3, 4))
    )

    assert database.batches == [[1], [2, 3, 4]]
    assert await first == [101]
    assert sorted(chain.from_iterable(rest)) == [
        102,
        103,
        104,
    ]  # each notice is sent once


async def test_a_transaction_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_recording, "BATCH_LIMIT", 2)
    database = Database()

    await record(database, 5)

    assert database.batches == [[1, 2], [3, 4], [5]]


async def test_a_fault_of_one_spoils_no_other() -> None:
    results = await record(Database(refuses=2, error=ValueError("2")), 3)

    assert [results[0], results[2]] == [[101], [103]]
    assert isinstance(results[1], ValueError)


async def test_everybody_hears_that_the_database_is_away() -> None:
    database = Database(refuses=2, error=OperationalError("away"))

    results = await record(database, 3)

    assert [type(result) for result in results] == [OperationalError] * 3
    assert database.batches == [[1, 2, 3]]


async def test_a_delivery_that_was_cancelled_does_not_stop_the_others() -> None:
    database = Database()
    recorder = GroupRecorder(database)
    tasks = [asyncio.create_task(recorder.record([outcome(n)])) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    tasks[1].cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(results[1], asyncio.CancelledError)
    assert 103 in results[0] + results[2]
    assert await recorder.record([outcome(4)]) == [104]
