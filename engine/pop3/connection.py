"""Lines in, octets out, over one socket that may change to TLS half way.

Our own protocol rather than asyncio's streams: those keep what arrived before a TLS
handshake and serve it up after, as if it had come protected.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from engine.places import Dropped, Place
from engine.pop3 import commands
from engine.sessions import HANDSHAKE_SECONDS, Sessions, hang_up

# RFC 2449 §4 allows 255 octets; a SASL response may need more (RFC 5034 §4).
MAX_LINE = 4096
READ_AHEAD = 16 * 1024  # octets of pipelined commands held before reading pauses


class ConnectionEnded(Exception):
    """The peer has gone, or must go."""


class LineTooLong(ConnectionEnded):
    """A line longer than MAX_LINE: where the next one starts cannot be known."""


class PlaintextBeforeTLS(ConnectionEnded):
    """Commands came in the clear behind STLS: injected (RFC 2595 §9), or a mistake."""


class Connection(asyncio.Protocol):
    """`accept` is called, once, with a connection that is ready to talk.

    `patience` is how many seconds the peer may keep us waiting, each time.
    """

    def __init__(
        self, accept: Callable[[Connection], None], *, patience: float
    ) -> None:
        self._accept = accept
        self._patience = patience
        self._buffer = bytearray()
        self._has_heard_all = False
        self._has_ended = False
        self._is_paused = False
        self._is_writable = asyncio.Event()
        self._is_writable.set()
        self._has_news = asyncio.Event()
        self._transport: asyncio.Transport
        self._sessions: Sessions | None = None
        self._place: Place | None = None
        self._is_shaking_hands = False

    @property
    def is_encrypted(self) -> bool:
        return self._transport.get_extra_info("ssl_object") is not None

    @property
    def peer(self) -> str:
        """The peer's IP address."""
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    def admit(self, sessions: Sessions) -> Place | None:
        """Take a place, where there is one."""
        self._sessions = sessions
        self._place = sessions.admit(self._transport, self._drop)
        return self._place

    def keep_place(self) -> None:
        """Keep the place: the peer has signed in."""
        if self._sessions is not None:
            self._sessions.bind(self._place)

    def _drop(self, why: Dropped) -> None:
        """End a session that has not signed in."""
        if why is Dropped.CROWDED and not self._is_shaking_hands:
            self.refuse(bytes(commands.CROWDED_OUT))
        else:
            # RFC 1939 §3: nothing is said to a peer that keeps us waiting.
            self.abort()

    async def read_line(self) -> bytes:
        """The next line without its end. Raises ConnectionEnded and TimeoutError."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise LineTooLong
            if self._has_heard_all:
                raise ConnectionEnded
            self._has_news.clear()
            self._resume_reading()
            async with asyncio.timeout(self._patience):
                await self._has_news.wait()
        if end > MAX_LINE:
            raise LineTooLong
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    async def write(self, data: bytes) -> None:
        """Send, and wait while the peer is slow to take it.

        Gives others a turn each time: a peer may ask a thousand things at once.
        Raises ConnectionEnded and TimeoutError.
        """
        if self._has_ended:
            raise ConnectionEnded
        self._transport.write(data)
        await asyncio.sleep(0)
        if not self._is_writable.is_set():
            async with asyncio.timeout(self._patience):
                await self._is_writable.wait()

    async def start_tls(self, context: ssl.SSLContext, invitation: bytes) -> None:
        """Invite the peer to shake hands. Raises ConnectionEnded when that fails."""
        if self._buffer:
            raise PlaintextBeforeTLS
        self._transport.write(invitation)
        # Nothing is awaited in between, so nothing can arrive in between.
        self._is_shaking_hands = True
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except OSError as error:
            raise ConnectionEnded from error
        finally:
            self._is_shaking_hands = False
        if upgraded is None:
            raise ConnectionEnded
        self._transport = upgraded
        self._is_paused = False

    def refuse(self, last_words: bytes) -> None:
        """Say no, and hang up."""
        self._transport.write(last_words)
        hang_up(self._transport)

    def close(self) -> None:
        """Send what is written and hang up."""
        hang_up(self._transport)

    def abort(self) -> None:
        """Hang up at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._accept(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_heard_all = self._has_ended = True
        self._has_news.set()
        self._is_writable.set()

    def eof_received(self) -> bool:
        """Keep answering a peer that has said all it has to; TLS cannot be half open."""
        self._has_heard_all = True
        self._has_news.set()
        return not self.is_encrypted

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._has_news.set()
        if len(self._buffer) > READ_AHEAD and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._is_writable.clear()

    def resume_writing(self) -> None:
        self._is_writable.set()

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
