"""Committing for many sessions at once: one flush of the disk serves them all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from engine import metrics
from engine.queue.enqueue import commit as accept
from engine.queue.enqueue.accepted_message import Incoming
from engine.threads import DatabaseThreads

log = logging.getLogger(__name__)

# How many messages one transaction may carry.
BATCH_LIMIT = 64

Result = str | Exception


class Committer:
    """While one batch is being committed, in a thread of its own, the next one gathers.

    `on_queued` is called when something was committed that the runner must deliver.
    """

    def __init__(self, *, on_queued: Callable[[], None]) -> None:
        self._on_queued = on_queued
        self._waiting: list[tuple[Incoming, asyncio.Future[str]]] = []
        self._thread = DatabaseThreads("commit", count=1)
        self._task: asyncio.Task[None] | None = None

    async def commit(self, incoming: Incoming) -> str:
        """Commit one message and return its reference.

        The commit goes on even when the caller is cancelled: the peer that hung up
        may resend, and is then recognised. Raises whatever made the commit fail.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        reference: str = await asyncio.shield(future)
        return reference

    async def close(self) -> None:
        """Finish what is waiting."""
        if self._task is not None:
            await self._task
        await self._thread.close()

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting[:BATCH_LIMIT]
            del self._waiting[:BATCH_LIMIT]
            results, is_queued = await self._commit([one for one, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                _settle(future, result)
            if is_queued:
                self._on_queued()

    async def _commit(self, batch: Sequence[Incoming]) -> tuple[Sequence[Result], bool]:
        """Every message of the batch gets a result, so that no session waits for ever."""
        try:
            with metrics.COMMIT_SECONDS.time():
                return await self._thread.run(_commit_each, batch)
        except Exception as error:
            log.exception("a batch of %d could not be committed", len(batch))
            return [error] * len(batch), False


def _settle(future: asyncio.Future[str], result: Result) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _commit_each(batch: Sequence[Incoming]) -> tuple[Sequence[Result], bool]:
    """Commit together; when that fails, one by one, so that one cannot spoil the rest."""
    try:
        return accept.commit_batch(batch)
    except Exception:
        log.exception("a batch of %d was not committed", len(batch))
    return [_commit_alone(incoming) for incoming in batch], True


def _commit_alone(incoming: Incoming) -> Result:
    try:
        return accept.commit([incoming])[0]
    except Exception as error:
        log.exception("message %s was not committed", incoming.reference)
        return error
