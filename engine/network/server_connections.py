"""Keeps the connections that a port has open, from any client."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import cast

from engine.network.connection_limits import Drop, Dropped, Place, Places

__all__ = [
    "ACCEPTED_AT_ONCE",
    "BACKLOG",
    "HANDSHAKE_SECONDS",
    "LINGER_SECONDS",
    "Handshake",
    "Sessions",
    "hang_up",
    "open_port",
    "reset",
]

HANDSHAKE_SECONDS = 30
# What a peer has not read by then of our last words, it will not.
LINGER_SECONDS = 10
# Connections that the kernel keeps until they are accepted: one that finds no room waits
# for seconds, or is reset. asyncio would accept as many at a go and serve nobody meanwhile.
BACKLOG = 4_096
ACCEPTED_AT_ONCE = 64


class Sessions(Places):
    """Places of connections that stand on an event loop, which looks who is overdue."""

    _look: asyncio.TimerHandle | None = None

    def admit(self, transport: asyncio.BaseTransport, drop: Drop) -> Place | None:
        """Count a connection in, once; None where there are too many."""
        ends = [transport.get_extra_info(end) for end in ("peername", "sockname")]
        address = str((ends[0] or ("",))[0])
        place = self.take((ends[0], ends[1]), address, drop)
        if self._look is None:
            self._look_later()
        return place

    def _look_later(self) -> None:
        every = min(1.0, self.limits.patience / 4, self.limits.least_patience / 4)
        self._look = asyncio.get_running_loop().call_later(every, self._expire)

    def _expire(self) -> None:
        self._look = None
        self.expire()
        if self._waiting:
            self._look_later()


class Handshake(SSLProtocol):
    """TLS from the first octet on. A peer counts from its first packet, not from the end
    of its handshake, or thousands that never finish theirs would take every socket."""

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        *,
        context: ssl.SSLContext,
        sessions: Sessions,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            protocol,
            context,
            waiter=_nobody(loop),
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )
        self._sessions = sessions
        self._place: Place | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw = cast(asyncio.WriteTransport, transport)

        def drop(why: Dropped) -> None:
            raw.abort()  # nothing can be said before TLS

        self._place = self._sessions.admit(transport, drop)
        if self._place is None:
            raw.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._sessions.release(self._place)
        super().connection_lost(exc)


async def open_port(
    protocol: Callable[[], asyncio.BaseProtocol],
    *,
    host: str,
    port: int,
    is_shared: bool,
) -> asyncio.Server:
    """Listen on a port; several processes share it where it `is_shared`. Port 0 takes a
    free one."""
    server = await asyncio.get_running_loop().create_server(
        protocol, host, port, reuse_port=is_shared, backlog=ACCEPTED_AT_ONCE
    )
    for one in server.sockets:
        with socket.fromfd(one.fileno(), one.family, one.type) as own:
            own.listen(BACKLOG)
    return server


def hang_up(transport: asyncio.WriteTransport) -> None:
    """Close a connection once what is written has left, or some seconds later.

    A peer that never reads would otherwise keep its socket open for as long as it likes.
    """
    transport.close()
    asyncio.get_running_loop().call_later(LINGER_SECONDS, reset, transport)


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection at once, here and in the kernel.

    Without a reset the kernel would keep what is unsent for minutes, up to megabytes of
    it, for a peer that does not read.
    """
    at_once = struct.pack("ii", 1, 0)
    own = transport.get_extra_info("socket")
    if own is not None and own.fileno() >= 0:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


def _nobody(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Nobody waits for the handshake: the protocol hears when it is over."""
    waiter: asyncio.Future[None] = loop.create_future()
    waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
    return waiter
