"""Reads command lines and message octets from an SMTP connection, and writes replies.

In place of asyncio's streams below aiosmtpd's loop: replies to commands that arrive
together leave together (RFC 2920 §3.2), one timer serves a whole connection, and a line
that is there already is read without a switch to another task.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import cast

from engine.mail import smtp_replies
from engine.mail.errors import PermanentFailure
from engine.network.server_connections import hang_up

log = logging.getLogger(__name__)

Method = Callable[[str | None], Awaitable[None]]

# RFC 4954 §4: an AUTH command, and each response to a challenge, may be this long.
LINE_LIMIT = 12_288 + 2
# Any other command, with its parameters.
COMMAND_LIMIT = 2_048
# Octets held before reading pauses: a client may pipeline, and a scanner may be slow.
READ_AHEAD = 64 * 1024
# Commands answered in a row before other sessions are served.
AT_ONCE = 32
# RFC 5321 §4.5.3.2.7: at least five minutes for the next command.
IDLE_SECONDS = 300.0


class CommandLimits(defaultdict[str, int]):
    """The octets that a command may have. Unknown commands are not remembered."""

    def __missing__(self, command: str) -> int:
        # A plain defaultdict would keep each word that a stranger sends, until the
        # memory is full.
        return COMMAND_LIMIT


class CommandTable(dict[str, Method]):
    """The method of each command, and one for each word that is none.

    aiosmtpd (version 1.4.6) looks commands up by get(), and answers those that it does
    not find without an enhanced code.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        run: Callable[[str, Method, str | None], Awaitable[None]],
        unknown: Method,
    ) -> None:
        super().__init__(
            {name: partial(run, name, method) for name, method in methods.items()}
        )
        self._unknown = unknown

    def get(self, command: str, default: object = None) -> Method:
        """Returns the method that answers the command."""
        return super().get(command, self._unknown)


class _Done:
    """Something awaitable that is done already."""

    def __await__(self) -> Iterator[None]:
        return iter(())


_DONE = _Done()


class CommandStream(asyncio.Protocol):
    """One connection, below the meaning of what is said on it.

    `transport` is None once the connection is lost. The coroutine that
    `serve_connection` returns runs as a task until then.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.is_over = False
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        self._in_a_row = 0
        self._arrival: asyncio.Future[None] | None = None
        # While the client is slow to read: done as soon as it has read enough.
        self._room: asyncio.Future[None] | None = None
        self._is_reading_paused = False
        self._task: asyncio.Task[None] | None = None
        self._active_at = self.loop.time()
        self._idle_timer: asyncio.TimerHandle | None = None

    def serve_connection(self) -> Coroutine[None, None, None]:
        """Returns the coroutine that serves the client."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: begins to serve the client."""
        self.transport = cast(asyncio.Transport, transport)
        self._watch_idleness()
        self._task = self.loop.create_task(self.serve_connection())

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: ends the session, unless it ends itself already."""
        self.transport = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._stop()

    def eof_received(self) -> bool:
        """Called by asyncio: a client that has stopped sending is gone."""
        self._stop()
        return False

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: stops reading while the client is too far ahead."""
        self._buffer += data
        if len(self._buffer) > READ_AHEAD and not self._is_reading_paused:
            self._is_reading_paused = True
            self._connected.pause_reading()
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def pause_writing(self) -> None:
        """Called by asyncio when the client is slow to read."""
        self._room = self.loop.create_future()

    def resume_writing(self) -> None:
        """Called by asyncio when the client has read enough."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    async def read_line(self) -> bytes:
        """Returns the next line with its end.

        Raises PermanentFailure for a line that is too long, once it was read to its end.
        """
        await self._yield_sometimes()
        is_too_long, seen = False, 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            if len(self._buffer) > LINE_LIMIT:
                is_too_long = True
                self._buffer.clear()
            seen = len(self._buffer)
            await self._wait()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if is_too_long or len(line) > LINE_LIMIT:
            raise PermanentFailure(smtp_replies.LINE_TOO_LONG)
        return line

    async def read_command(self) -> bytes:
        """Returns the next command line.

        Raises PermanentFailure for a line that is empty or too long, or begins with a
        word that is not ASCII: aiosmtpd answers those without an enhanced code.
        """
        line = await self.read_line()
        text = line.rstrip(b"\r\n")
        if not text:
            raise PermanentFailure(smtp_replies.EMPTY_LINE)
        word = text.partition(b" ")[0]
        if not word.isascii():
            raise PermanentFailure(smtp_replies.NOT_A_WORD)
        if len(text) > COMMAND_LIMIT and word.upper() != b"AUTH":
            raise PermanentFailure(smtp_replies.LINE_TOO_LONG)
        return line

    async def read_chunk(self) -> bytes:
        """Returns all octets that have arrived, as soon as there are some."""
        self._active_at = self.loop.time()
        while not self._buffer:
            await self._wait()
        chunk = bytes(self._buffer)
        self._buffer.clear()
        return chunk

    async def read_part(self, most: int) -> bytes:
        """Returns the octets that have arrived, up to `most`, as soon as there are some."""
        self._active_at = self.loop.time()
        while not self._buffer:
            await self._wait()
        part = bytes(self._buffer[:most])
        del self._buffer[:most]
        return part

    def push_back(self, rest: bytes) -> None:
        """Returns pipelined commands, read behind a message, to the buffer (RFC 2920)."""
        self._buffer[:0] = rest

    def push(self, reply: str | bytes) -> _Done:
        """Queues a reply. It is sent when the session waits for the client.

        aiosmtpd awaits what this returns; we need not.
        """
        octets = reply if isinstance(reply, bytes) else reply.encode()
        self._replies.append(octets + b"\r\n")
        return _DONE

    def send_replies(self) -> None:
        """Sends the queued replies, unless the connection is closing."""
        if self._replies:
            if self.transport is not None and not self.transport.is_closing():
                self.transport.write(b"".join(self._replies))
            self._replies.clear()

    def hang_up(self) -> None:
        """Sends the queued replies, ends the session and closes the connection."""
        self.is_over = True
        if self.transport is not None:
            self.send_replies()
            hang_up(self.transport)

    def mark_active(self) -> None:
        """Records that the client has said something, for the limit of idleness."""
        self._active_at = self.loop.time()

    def replace_transport(self, transport: asyncio.Transport) -> None:
        """Continues on another transport, such as one inside TLS."""
        self.transport = transport
        self._is_reading_paused = False
        self._room = None

    def forget_input(self) -> None:
        """Drops what has arrived and was not read."""
        self._buffer.clear()

    @property
    def _connected(self) -> asyncio.Transport:
        if self.transport is None:
            raise ConnectionResetError("the connection is lost")
        return self.transport

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _yield_sometimes(self) -> None:
        """Lets other sessions go on, and waits for a client that does not read."""
        self._in_a_row += 1
        if self._in_a_row >= AT_ONCE:
            self._in_a_row = 0
            self.send_replies()
            await (self._room or asyncio.sleep(0))

    async def _wait(self) -> None:
        """Sends the replies and waits until more has arrived.

        Raises ConnectionResetError where nothing can.
        """
        self._in_a_row = 0
        self.send_replies()
        transport = self._connected
        if self._room is not None:
            await self._room
            return
        if self._is_reading_paused:
            self._is_reading_paused = False
            transport.resume_reading()
        self._arrival = self.loop.create_future()
        try:
            await self._arrival
        finally:
            self._arrival = None

    def _watch_idleness(self) -> None:
        left = self._active_at + IDLE_SECONDS - self.loop.time()
        if left <= 0:
            self.hang_up()
        else:
            self._idle_timer = self.loop.call_later(left, self._watch_idleness)
