"""Reads lines from a POP3 connection and writes to it, before and after STLS.

A protocol of our own rather than asyncio's streams: those keep what arrived before the
TLS handshake and return it afterwards, as if it had been protected.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from engine.network import tls_handshake
from engine.network.connection_limits import DropReason, Place
from engine.network.proxy_header import Endpoint
from engine.network.server_connections import OpenConnections, hang_up
from engine.pop3 import replies

# RFC 2449 §4 allows 255 octets; a SASL response may need more (RFC 5034 §4).
MAX_LINE = 4096
READ_AHEAD = 16 * 1024  # octets of pipelined commands held before reading pauses


class ConnectionEnded(Exception):
    """The client has hung up, or we hang up on it."""


class LineTooLong(ConnectionEnded):
    """A line is longer than MAX_LINE: the start of the next command cannot be known."""


class PlaintextBeforeTLS(ConnectionEnded):
    """Commands in clear followed STLS: injected (RFC 2595 §9), or a client's mistake."""


class Connection(asyncio.Protocol):
    """One connection. `accept` is called once, as soon as it can be used.

    `patience` is how many seconds the client may keep us waiting, each time; `client` is
    the client behind a load balancer.
    """

    def __init__(
        self,
        accept: Callable[[Connection], None],
        *,
        patience: float,
        client: Endpoint | None = None,
    ) -> None:
        self._accept = accept
        self._client = client
        self._patience = patience
        self._buffer = bytearray()
        self._has_heard_all = False
        self._has_ended = False
        self._is_paused = False
        self._is_writable = asyncio.Event()
        self._is_writable.set()
        self._has_news = asyncio.Event()
        self._transport: asyncio.Transport
        self._sessions: OpenConnections | None = None
        self._place: Place | None = None
        self._is_shaking_hands = False

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is in use."""
        return self._transport.get_extra_info("ssl_object") is not None

    @property
    def peer(self) -> str:
        """The client's IP address."""
        name = self._client or self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    def admit(self, sessions: OpenConnections) -> Place | None:
        """Reserves a place; returns None where the server is full."""
        self._sessions = sessions
        self._place = sessions.admit(self._transport, self._drop, self._client)
        return self._place

    def keep_place(self) -> None:
        """Keeps the place for good, because the client has signed in."""
        if self._sessions is not None:
            self._sessions.bind(self._place)

    def _drop(self, why: DropReason) -> None:
        """Ends a session that has not signed in."""
        if why is DropReason.CROWDED and not self._is_shaking_hands:
            self.refuse(bytes(replies.CROWDED_OUT))
        else:
            # RFC 1939 §3: an idle client is disconnected without a reply. Within a
            # handshake a reply in clear would be garbage to the client.
            self.abort()

    async def read_line(self) -> bytes:
        """Returns the next line without its end. Raises ConnectionEnded, TimeoutError."""
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
        """Writes, and waits while the client is slow to read.

        Raises ConnectionEnded and TimeoutError.
        """
        if self._has_ended:
            raise ConnectionEnded
        self._transport.write(data)
        # A client may pipeline a thousand commands; others get served between them.
        await asyncio.sleep(0)
        if not self._is_writable.is_set():
            async with asyncio.timeout(self._patience):
                await self._is_writable.wait()

    async def pause(self, seconds: float) -> None:
        """Waits. Raises ConnectionEnded as soon as the client hangs up."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while not self._has_ended and (left := ends - loop.time()) > 0:
            self._has_news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._has_news.wait()
        if self._has_ended:
            raise ConnectionEnded

    async def start_tls(self, context: ssl.SSLContext, reply: bytes) -> None:
        """Sends the reply to STLS and upgrades the connection.

        Raises ConnectionEnded when the handshake fails.
        """
        if self._buffer:
            raise PlaintextBeforeTLS
        self._transport.write(reply)
        # Nothing is awaited before start_tls(), so that no plaintext can arrive.
        self._is_shaking_hands = True
        try:
            upgraded = await tls_handshake.start_tls(self._transport, self, context)
        except OSError as error:
            raise ConnectionEnded from error
        finally:
            self._is_shaking_hands = False
        if upgraded is None:
            raise ConnectionEnded
        self._transport = upgraded
        self._is_paused = False

    def refuse(self, reply: bytes) -> None:
        """Sends a last reply and hangs up."""
        self._transport.write(reply)
        hang_up(self._transport)

    def close(self) -> None:
        """Hangs up once everything written has been sent."""
        hang_up(self._transport)

    def abort(self) -> None:
        """Hangs up immediately; what was not sent is lost."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: the connection, with implicit TLS its handshake, is ready."""
        self._transport = cast(asyncio.Transport, transport)
        self._accept(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: wakes up a session that waits to read or write."""
        self._has_heard_all = self._has_ended = True
        self._has_news.set()
        self._is_writable.set()

    def eof_received(self) -> bool:
        """Goes on answering a client that only reads from now on.

        TLS connections cannot be half open: there the end of one side is the end.
        """
        self._has_heard_all = True
        self._has_news.set()
        return not self.is_encrypted

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: stops reading while a client pipelines too far ahead."""
        self._buffer += data
        self._has_news.set()
        if len(self._buffer) > READ_AHEAD and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Called by asyncio when the client is slow to read."""
        self._is_writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio when the client has read enough."""
        self._is_writable.set()

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
