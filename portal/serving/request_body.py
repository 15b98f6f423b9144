"""Reads a request's body completely before a thread is used for it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestAborted

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# Seconds until the first byte, and for the whole body; and bytes that must arrive each
# second on average. A body of 60 MB passes at half a megabit a second.
PATIENCE = 15
DEADLINE = 1_000
LEAST_RATE = 1_000


# Seconds for the rest of a body that is discarded.
DISCARD_SECONDS = 10


class TooSlowError(Exception):
    """The body arrived more slowly than LEAST_RATE."""


def empty() -> IO[bytes]:
    """Returns an empty body."""
    return BytesIO()


async def read(receive: Receive) -> IO[bytes]:
    """Returns the body as a file, which is on disk where it is large.

    No thread waits for it: a client that sends one byte a minute costs one connection.
    Raises RequestAborted when the client has disconnected, and TooSlowError.
    """
    file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - the request closes it
        max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, mode="w+b"
    )
    try:
        async with asyncio.timeout(PATIENCE) as deadline:
            await _receive(receive, file, deadline)
    except TimeoutError as error:
        file.close()
        raise TooSlowError from error
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def discard(receive: Receive) -> None:
    """Reads and discards the rest of a body, for at most DISCARD_SECONDS."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while (await receive()).get("more_body"):
                pass


async def _receive(
    receive: Receive, file: IO[bytes], deadline: asyncio.Timeout
) -> None:
    began = asyncio.get_running_loop().time()
    has_more, octets = True, 0
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        chunk = message.get("body", b"")
        file.write(chunk)
        octets += len(chunk)
        deadline.reschedule(began + seconds_for(octets))
        has_more = message.get("more_body", False)


def seconds_for(octets: int) -> float:
    """Returns the seconds from the start within which the next bytes must arrive."""
    return min(DEADLINE, PATIENCE + octets / LEAST_RATE)
