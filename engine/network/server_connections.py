"""Opens ports, and admits, limits and ends the connections of their clients."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import cast

from django.conf import settings

from engine.network.connection_limits import Drop, DropReason, Place, Places
from engine.network.proxied_connections import Balancers, ProxiedConnection, Start
from engine.network.proxy_header import Endpoint
from engine.network.tls_handshake import HANDSHAKE_SECONDS, ExplainedTls

__all__ = [
    "ACCEPTED_AT_ONCE",
    "BACKLOG",
    "HANDSHAKE_SECONDS",
    "LINGER_SECONDS",
    "ImplicitTls",
    "OpenConnections",
    "hang_up",
    "open_port",
    "reset",
]

# How long a closing connection may take to send what is buffered.
LINGER_SECONDS = 10
# Connections that the kernel queues until they are accepted; beyond that it drops SYN
# packets, and clients wait for seconds. asyncio passes one number as the length of the queue
# and as how many it accepts in one go, during which it serves nothing else.
BACKLOG = 4_096
ACCEPTED_AT_ONCE = 64


class OpenConnections(Places):
    """The places of a port's connections, with a timer that drops overdue clients."""

    _timer: asyncio.TimerHandle | None = None

    def admit(
        self,
        transport: asyncio.BaseTransport,
        drop: Drop,
        client: Endpoint | None = None,
    ) -> Place | None:
        """Gives a connection a place; returns None where it must be refused.

        `client` is the client behind a load balancer, to which the place counts.
        """
        peer, own = map(transport.get_extra_info, ("peername", "sockname"))
        address = str((client or peer or ("",))[0])
        place = self.take((peer, own), address, drop)
        if self._timer is None:
            self._schedule_expiry()
        return place

    def _schedule_expiry(self) -> None:
        every = min(1.0, self.limits.patience / 4, self.limits.least_patience / 4)
        self._timer = asyncio.get_running_loop().call_later(every, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.expire()
        if self._waiting:
            self._schedule_expiry()


class ImplicitTls(ExplainedTls):
    """TLS from the first octet on (RFC 8314), admitted before the handshake.

    asyncio's own start of TLS would tell us of a client only after its handshake, and
    thousands that never finish theirs would exhaust the sockets.
    """

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        *,
        context: ssl.SSLContext,
        sessions: OpenConnections,
        client: Endpoint | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            protocol,
            context,
            waiter=_discarded(loop),
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )
        self._sessions = sessions
        self._client = client
        self._place: Place | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: takes a place and starts the handshake, or hangs up."""
        raw = cast(asyncio.WriteTransport, transport)

        def drop(why: DropReason) -> None:
            raw.abort()  # without TLS no reply can be sent

        self._place = self._sessions.admit(transport, drop, self._client)
        if self._place is None:
            raw.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by asyncio: frees the place, also after a handshake that failed."""
        self._sessions.release(self._place)
        super().connection_lost(exc)


async def open_port(
    start: Start,
    *,
    host: str,
    port: int,
    is_shared: bool,
) -> asyncio.Server:
    """Listens on a port and returns the server. `start` is called for each connection.

    Connections from POSTERN_MAIL_BALANCERS must begin with a PROXY header.
    Where it `is_shared`, several processes can listen on the same port (SO_REUSEPORT).
    Port 0 takes any free one. Raises OSError where the port cannot be opened.
    """
    balancers = Balancers(settings.POSTERN.mail_balancers)

    def accept() -> asyncio.BaseProtocol:
        return (
            ProxiedConnection(start, balancers) if balancers.networks else start(None)
        )

    server = await asyncio.get_running_loop().create_server(
        accept, host, port, reuse_port=is_shared, backlog=ACCEPTED_AT_ONCE
    )
    # A second listen() lengthens the queue without changing what asyncio accepts in one go.
    for one in server.sockets:
        with socket.fromfd(one.fileno(), one.family, one.type) as own:
            own.listen(BACKLOG)
    return server


def hang_up(transport: asyncio.WriteTransport) -> None:
    """Closes a connection when its buffer has been sent, at most LINGER_SECONDS later.

    Otherwise a client that never reads could keep its socket open indefinitely.
    """
    transport.close()
    asyncio.get_running_loop().call_later(LINGER_SECONDS, reset, transport)


def reset(transport: asyncio.WriteTransport) -> None:
    """Ends a connection immediately, and discards what the kernel has not sent.

    Without a reset the kernel would keep megabytes of unsent data for minutes when the
    client does not read.
    """
    reset_on_close = struct.pack("ii", 1, 0)  # linger on, for 0 seconds: socket(7)
    own = transport.get_extra_info("socket")
    if own is not None and own.fileno() >= 0:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
    transport.abort()


def _discarded(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Returns a future whose result, the end of the handshake, is not awaited.

    Its exception is read, or asyncio would log that it never was.
    """
    waiter: asyncio.Future[None] = loop.create_future()
    waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
    return waiter
