"""Threads is in charge of the database's place beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class DatabaseThreads:
    """Runs functions that use the database, each thread with its own connection."""

    def __init__(self, name: str, *, count: int) -> None:
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call it in one of the threads, on a connection that still lives."""

        def call() -> Result:
            close_old_connections()
            return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def close(self) -> None:
        """Close the connections, then the threads."""
        loop = asyncio.get_running_loop()
        together = threading.Barrier(self._count)
        await asyncio.gather(
            *(
                loop.run_in_executor(self._threads, _close_connection, together)
                for _ in range(self._count)
            )
        )
        self._threads.shutdown()


def _close_connection(together: threading.Barrier) -> None:
    together.wait()  # so that each thread closes its own
    connection.close()
