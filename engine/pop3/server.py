"""Opening the ports on which POP3 is heard."""

from __future__ import annotations

import asyncio
import ssl

from engine import places, sessions
from engine.pop3 import commands
from engine.pop3.connection import Connection
from engine.pop3.conversation import converse
from engine.pop3.server_context import Limits, Listener
from engine.sessions import Handshake
from engine.threads import DatabaseThreads

THREADS = 4  # and so many database connections, at most


def listener_of(context: ssl.SSLContext, limits: places.Limits) -> Listener:
    """What the sessions of both ports share."""
    threads = DatabaseThreads("pop3", count=THREADS)
    return Listener(context, threads, Limits(places=limits))


async def listen(
    listener: Listener, *, host: str, port: int, tls_port: int, is_shared: bool
) -> list[asyncio.Server]:
    """Listen on both ports: one where STLS begins TLS, one that begins with it."""
    return [
        await open_port(listener, host=host, port=port, is_shared=is_shared),
        await open_port(
            listener, host=host, port=tls_port, implicit_tls=True, is_shared=is_shared
        ),
    ]


async def open_port(
    listener: Listener,
    *,
    host: str,
    port: int,
    implicit_tls: bool = False,
    is_shared: bool = False,
) -> asyncio.Server:
    """Listen on a port; several processes share it where it `is_shared`. Port 0 takes a free one."""

    def accept(connection: Connection) -> None:
        place = connection.admit(listener.sessions)
        if place is None:
            connection.refuse(bytes(commands.CROWDED))
            return
        session = asyncio.create_task(converse(listener, connection))
        listener.watch(session, place)

    def protocol() -> asyncio.BaseProtocol:
        connection = Connection(accept, patience=listener.limits.idle)
        if implicit_tls:
            context, own = listener.tls_context, listener.sessions
            return Handshake(connection, context=context, sessions=own)
        return connection

    return await sessions.open_port(protocol, host=host, port=port, is_shared=is_shared)
