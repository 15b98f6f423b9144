"""One HTTP connection, with deadlines for each part of a request and a response.

A subclass of uvicorn 0.54's protocol on h11, which itself waits indefinitely: for the first
byte, for the end of a header, and for the client to read a response.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from engine.network.connection_limits import DropReason, Place
from engine.network.server_connections import (
    LINGER_SECONDS,
    OpenConnections,
    hang_up,
    reset,
)

# Seconds for a whole header, from the first byte of a connection or a request.
HEAD_SECONDS = 10.0
# Seconds that a connection is kept between two requests.
IDLE_SECONDS = 15
# Seconds in which a client must read the 64 kB that wait in the write buffer.
READ_SECONDS = 60.0

CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 46\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
    b"Too many connections are open. Try again soon."
)


class Connection(H11Protocol):
    """A connection that holds one of the places, with deadlines for its client.

    It keeps its place while a complete request is processed or the client reads the
    response; at any other time it may be dropped to make room (`engine.network.connection_limits`).
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        sessions: OpenConnections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._sessions = sessions
        self._place: Place | None = None
        self._head_since: float | None = None
        self._unread_since: float | None = None
        self._closing_since: float | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        # A response is written in two pieces, its header first. With Nagle's algorithm the
        # second waits for the acknowledgement of the first, which clients delay by 40 ms.
        # asyncio disables it only on sockets that it opens itself (Python 3.11 to 3.14).
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._head_since = self.loop.time()
        self._place = self._sessions.admit(transport, self._drop)
        if self._place is None:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        self._sessions.release(self._place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._head_since is None and not self._is_busy():
            self._head_since = self.loop.time()
        super().data_received(data)
        self._update()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update()
        began_another, _ = self.conn.trailing_data
        if began_another and not self._is_busy():
            self._head_since = self.loop.time()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()
        self._update()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None
        self._update()

    def look(self) -> None:
        """Resets the connection when its client is too slow; called every second."""
        now = self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if not unread:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        if self.transport.is_closing() and self._closing_since is None:
            self._closing_since = now
        deadlines = (
            (self._head_since, HEAD_SECONDS),
            (self._unread_since, READ_SECONDS),
            (self._closing_since, LINGER_SECONDS),
        )
        if any(since is not None and now - since >= most for since, most in deadlines):
            reset(self.transport)

    def _is_busy(self) -> bool:
        """Returns whether a request has begun whose response is not complete."""
        return self.cycle is not None and not self.cycle.response_complete

    def _update(self) -> None:
        """Updates the deadlines and the place after the state has changed."""
        is_busy = self._is_busy()
        if is_busy:
            self._head_since = None
        has_come = is_busy and not self.cycle.more_body
        if has_come and not self.flow.write_paused:
            self._sessions.bind(self._place)
        else:
            self._sessions.unbind(self._place)

    def _drop(self, why: DropReason) -> None:
        if self._is_busy() or why is DropReason.SLOW:
            reset(self.transport)
        else:
            self._refuse()

    def _refuse(self) -> None:
        self.transport.write(CROWDED)
        hang_up(self.transport)
