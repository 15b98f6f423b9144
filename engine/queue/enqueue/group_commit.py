"""Group commit: one transaction, and one flush of the disk, for many SMTP sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from engine.database.threads import DatabaseThreads
from engine.observability import metrics
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.enqueue.commit import commit_batch, commit_messages

log = logging.getLogger(__name__)

# Messages in one transaction. Sessions wait for the whole batch, so it stays small.
BATCH_LIMIT = 64

Result = str | Exception


class GroupCommitter:
    """Collects the next batch while a thread of its own commits the current one.

    `on_queued` is called when a commit left something for the runner to deliver.
    """

    def __init__(self, *, on_queued: Callable[[], None]) -> None:
        self._on_queued = on_queued
        self._waiting: list[tuple[AcceptedMessage, asyncio.Future[str]]] = []
        # One thread: commits that overlap would split the flush they are meant to share.
        self._thread = DatabaseThreads("commit", count=1)
        self._task: asyncio.Task[None] | None = None

    async def commit(self, accepted: AcceptedMessage) -> str:
        """Commits one message and returns its reference.

        The commit continues even if the caller is cancelled: a peer that hung up may
        resend, and is then recognised by the fingerprint. Raises whatever made the
        commit fail.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((accepted, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        reference: str = await asyncio.shield(future)
        return reference

    async def close(self) -> None:
        """Commits what is waiting, then stops the thread."""
        if self._task is not None:
            await self._task
        await self._thread.close()

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting[:BATCH_LIMIT]
            del self._waiting[:BATCH_LIMIT]
            results, is_queued = await self._commit([one for one, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                _resolve(future, result)
            if is_queued:
                self._on_queued()

    async def _commit(
        self, batch: Sequence[AcceptedMessage]
    ) -> tuple[Sequence[Result], bool]:
        """Returns one result for each message, so that no session waits indefinitely."""
        try:
            with metrics.COMMIT_SECONDS.time():
                return await self._thread.run(_commit_together, batch)
        except Exception as error:
            log.exception("a batch of %d could not be committed", len(batch))
            return [error] * len(batch), False


def _resolve(future: asyncio.Future[str], result: Result) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _commit_together(batch: Sequence[AcceptedMessage]) -> tuple[Sequence[Result], bool]:
    """Commits the batch; if that fails, each message alone, so that one bad message
    does not fail the others."""
    try:
        return commit_batch(batch)
    except Exception:
        log.exception("a batch of %d was not committed", len(batch))
    return [_commit_alone(accepted) for accepted in batch], True


def _commit_alone(accepted: AcceptedMessage) -> Result:
    try:
        return commit_messages([accepted])[0]
    except Exception as error:
        log.exception("message %s was not committed", accepted.reference)
        return error
