"""The open event streams of this process, and the task that looks for all of them.

One look a second at the database serves every stream: 500 browsers cost as many queries
as one. A stream is a coroutine on the event loop and holds no thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from engine.database import dead_connections
from engine.registry.change_log import Position
from portal.webmail.live.looks import Look, Ticket, look

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks
# Seconds after which an idle stream sends a comment: proxies end silent connections, after
# 60 seconds most often, and only a write shows that a client is gone.
KEEP_ALIVE = 25.0
# Seconds after which a stream ends, so that the guards of the view, which know more than
# `standing`, decide again.
LONGEST = 900.0
# Milliseconds after which a browser connects again, different for each: a process that
# restarts has ended all of its streams at one moment.
RETRY = (500, 2500)

STREAMS_PER_PERSON = 8
# The part of a process's connections that streams may take; pages need the others.
SHARE = 0.75


class Places:
    """Counts the streams of this process and of each person, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    def take(self, person_id: int) -> bool:
        """Takes a place; False where the person or the process has no more."""
        most = int(settings.POSTERN.web_connections * SHARE)
        with self._lock:
            is_full = self._taken.total() >= most
            if is_full or self._taken[person_id] >= STREAMS_PER_PERSON:
                return False
            self._taken[person_id] += 1
            return True

    def release(self, person_id: int) -> None:
        """Returns a place."""
        with self._lock:
            self._taken -= Counter([person_id])


@dataclass(eq=False, slots=True)
class _Listener:
    ticket: Ticket
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    # The numbers sent, and those to be sent: only the last of a mailbox is kept.
    known: dict[int, int] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    is_new: bool = True
    is_over: bool = False

    def end(self) -> None:
        self.is_over = True
        self.wake.set()

    def hear(self, numbers: dict[int, int]) -> None:
        """Queues what is new of its own mailboxes."""
        for mailbox_id in self.ticket.mailboxes:
            number = numbers.get(mailbox_id)
            if number is not None and self.known.get(mailbox_id) != number:
                self.known[mailbox_id] = self.pending[mailbox_id] = number
        if self.pending or self.is_new:
            self.wake.set()
        self.is_new = False


class Hub:
    """Streams the change numbers of mailboxes to the browsers that show them."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._watching: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()
        self._position: Position | None = None

    async def stream(self, ticket: Ticket) -> AsyncIterator[bytes]:
        """Yields server-sent events until the stream is over or the client is gone.

        `numbers` has the change numbers of mailboxes by id, first of all and then of
        those that changed. The stream ends where the person must be looked at again: the
        browser connects again, and the guards of the view decide.
        """
        listener = _Listener(ticket)
        self._add(listener)
        try:
            yield b"retry: %d\n\n" % random.randint(*RETRY)  # noqa: S311
            ends_at = asyncio.get_running_loop().time() + LONGEST
            while True:
                said = await _next(listener)
                if listener.is_over:
                    return
                yield said
                if asyncio.get_running_loop().time() > ends_at:
                    return
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._soon.set()

    def _add(self, listener: _Listener) -> None:
        self._listeners.add(listener)
        loop = asyncio.get_running_loop()
        if self._watching is None or self._watching.done():
            self._soon, self._position = asyncio.Event(), None
            self._watching = loop.create_task(self._watch())

    async def _watch(self) -> None:
        threads = ThreadPoolExecutor(1, thread_name_prefix="live")
        loop = asyncio.get_running_loop()
        try:
            while self._listeners:
                try:
                    await self._look(threads)
                except Exception:
                    # Streams stay open: what is missed is seen at the next look.
                    log.exception("changes of mailboxes could not be read")
                    await loop.run_in_executor(threads, connection.close)
                await self._pause()
        finally:
            threads.submit(connection.close)
            threads.shutdown(wait=False)

    async def _pause(self) -> None:
        """Waits for the next look, or until no stream is left."""
        self._soon.clear()
        if self._listeners:
            try:
                async with asyncio.timeout(EVERY):
                    await self._soon.wait()
            except TimeoutError:
                pass

    async def _look(self, threads: ThreadPoolExecutor) -> None:
        listeners = list(self._listeners)
        has_new = any(one.is_new for one in listeners)
        found = await asyncio.get_running_loop().run_in_executor(
            threads,
            _look_apart,
            [one.ticket for one in listeners],
            None if has_new else self._position,
        )
        self._position = found.position
        for one in listeners:
            if found.still_admits(one.ticket):
                one.hear(found.numbers)
            else:
                one.end()


def _look_apart(tickets: list[Ticket], since: Position | None) -> Look:
    dead_connections.replace_unusable()
    return look(tickets, since)


async def _next(listener: _Listener) -> bytes:
    """Returns the next event of a stream, or a comment where nothing happens."""
    try:
        async with asyncio.timeout(KEEP_ALIVE):
            await listener.wake.wait()
    except TimeoutError:
        return b":\n\n"
    listener.wake.clear()
    said, listener.pending = listener.pending, {}
    return _event(said)


def short(numbers: dict[int, int]) -> bytes:
    """Returns a whole stream with one event, after which the browser connects again."""
    return b"retry: 2000\n\n" + _event(numbers)


def _event(numbers: dict[int, int]) -> bytes:
    return f"event: numbers\ndata: {json.dumps(numbers)}\n\n".encode()


hub = Hub()
places = Places()
