"""Records the outcomes of many deliveries in one transaction, and one flush of the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from django.db import InterfaceError, OperationalError

from engine.transport.parcel import Outcome

log = logging.getLogger(__name__)

# Outcomes in one transaction. Deliveries wait for all of them, so it stays small.
BATCH_LIMIT = 200

# Records outcomes, and returns the ids of the notices to send.
Record = Callable[[Sequence[Outcome]], Awaitable[list[int]]]
Waiting = tuple[Sequence[Outcome], "asyncio.Future[list[int]]"]


class GroupRecorder:
    """Collects the next outcomes while the current ones are being recorded."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def record(self, outcomes: Sequence[Outcome]) -> list[int]:
        """Records outcomes together with those of others.

        Returns the ids of notices to send, perhaps of others too, whose own callers then
        get none. Raises what recording these outcomes raised.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((outcomes, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        notices: list[int] = await future
        return notices

    async def close(self) -> None:
        """Records what waits, even for deliveries that were cancelled since."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while batch := self._next_batch():
            try:
                notices = await self._record(
                    [outcome for outcomes, _ in batch for outcome in outcomes]
                )
            except (OperationalError, InterfaceError) as error:
                # The database is away for all of them, and each will try again.
                for _, future in batch:
                    _fail(future, error)
            except Exception as error:
                if len(batch) > 1:
                    log.exception("%d outcomes were not recorded together", len(batch))
                    await self._record_each(batch)
                else:
                    _fail(batch[0][1], error)
            else:
                for _, future in batch:
                    if not future.done():
                        future.set_result(notices)
                        notices = []

    async def _record_each(self, batch: Sequence[Waiting]) -> None:
        """Records each delivery alone, so that one that is at fault spoils no other."""
        for outcomes, future in batch:
            try:
                notices = await self._record(outcomes)
            except Exception as error:
                log.exception("an outcome was not recorded")
                _fail(future, error)
            else:
                if not future.done():
                    future.set_result(notices)

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        count = 0
        while self._waiting and (not batch or count < BATCH_LIMIT):
            batch.append(self._waiting.pop(0))
            count += len(batch[-1][0])
        return batch


def _fail(future: asyncio.Future[list[int]], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
