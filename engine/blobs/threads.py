"""Runs the work of blobs in threads of its own.

A store that answers slowly fills these, and nothing else: the event loop's default
threads, and those of the database, go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Each may hold two parts of an upload, of 5 MiB, in memory.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="blobs")


async def run(
    function: Callable[Arguments, Result],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Result:
    """Calls the function, which must not use the database, and returns its result."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, partial(function, *args, **kwargs))
