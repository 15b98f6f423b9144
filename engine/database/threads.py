"""Runs database work in threads, so that it never blocks the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection

from engine.database.dead_connections import replace_unusable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class DatabaseThreads:
    """A pool of `count` threads, each with a database connection of its own."""

    def __init__(self, name: str, *, count: int) -> None:
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Calls the function in one of the threads, and returns what it returns.

        A connection that is broken, dead or past CONN_MAX_AGE is replaced first.
        """

        def call() -> Result:
            replace_unusable()
            return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def close(self) -> None:
        """Closes the connection of each thread, then ends the threads."""
        loop = asyncio.get_running_loop()
        barrier = threading.Barrier(self._count)
        await asyncio.gather(
            *(
                loop.run_in_executor(self._threads, _close_connection, barrier)
                for _ in range(self._count)
            )
        )
        self._threads.shutdown()


def _close_connection(barrier: threading.Barrier) -> None:
    # Without the barrier one thread could take two of the calls, and leave another's
    # connection open.
    barrier.wait()
    connection.close()
