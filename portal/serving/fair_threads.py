"""A thread pool that shares its threads fairly between clients."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import connections

Result = TypeVar("Result")

# Requests that may wait for a thread: of one client, and in total.
MAX_WAITING_PER_CLIENT = 200
MAX_WAITING = 2_000


class CrowdedError(Exception):
    """Too many requests are waiting; the client should try again later."""


@dataclass(eq=False, slots=True)
class _Job:
    client: str
    function: Callable[[], Any]
    outcome: asyncio.Future[Any]


class FairThreads:
    """Runs functions in threads, in order for each client and fairly between clients.

    Clients are served round-robin, and none uses more than three quarters of the
    threads: a client with slow pages delays only its own. Used from one event loop.
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._most = max(1, count - max(1, count // 4))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="page")
        # In the order in which clients are served next.
        self._queues: dict[str, deque[_Job]] = {}
        self._running: Counter[str] = Counter()
        self._waiting = 0

    async def run(self, client: str, function: Callable[[], Result]) -> Result:
        """Calls the function in a thread, and returns its result.

        The function runs to its end even when the caller is cancelled. Raises CrowdedError
        when too many requests wait, and whatever the function raises.
        """
        queue = self._queues.get(client, ())
        if self._waiting >= MAX_WAITING or len(queue) >= MAX_WAITING_PER_CLIENT:
            raise CrowdedError
        job = _Job(client, function, asyncio.get_running_loop().create_future())
        self._queues.setdefault(client, deque()).append(job)
        self._waiting += 1
        self._start()
        result: Result = await job.outcome
        return result

    async def close(self) -> None:
        """Waits for running functions, closes database connections and ends the threads."""
        loop = asyncio.get_running_loop()
        together = threading.Barrier(self._count)
        closing = (
            loop.run_in_executor(self._threads, _close_connections, together)
            for _ in range(self._count)
        )
        await asyncio.gather(*closing)
        self._threads.shutdown()

    def _start(self) -> None:
        """Starts waiting functions while threads are free, round-robin."""
        while self._free and (job := self._next()):
            if job.outcome.cancelled():
                continue
            self._free -= 1
            self._running[job.client] += 1
            loop = asyncio.get_running_loop()
            started = loop.run_in_executor(self._threads, job.function)
            started.add_done_callback(partial(self._finish, job))

    def _next(self) -> _Job | None:
        client = next(
            (one for one in self._queues if self._running[one] < self._most), None
        )
        if client is None:
            return None
        queue = self._queues.pop(client)
        job = queue.popleft()
        self._waiting -= 1
        if queue:  # to the end of the line
            self._queues[client] = queue
        return job

    def _finish(self, job: _Job, done: asyncio.Future[Any]) -> None:
        self._free += 1
        self._running[job.client] -= 1
        if not self._running[job.client]:
            del self._running[job.client]
        error = None if done.cancelled() else done.exception()
        if not job.outcome.cancelled():
            if error is None:
                job.outcome.set_result(done.result())
            else:
                job.outcome.set_exception(error)
        self._start()


def _close_connections(together: threading.Barrier) -> None:
    together.wait()  # otherwise one thread could run two of these, and another none
    connections.close_all()
