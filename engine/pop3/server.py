"""Opens the POP3 ports and runs each session from its greeting to its end."""

from __future__ import annotations

import asyncio
import logging
import ssl

from engine.database.threads import DatabaseThreads
from engine.mail.errors import MailError
from engine.network import connection_limits, server_connections
from engine.network.proxy_header import Endpoint
from engine.network.server_connections import ImplicitTls
from engine.pop3 import replies
from engine.pop3.command_parser import Command
from engine.pop3.connection import Connection, ConnectionEnded, LineTooLong
from engine.pop3.replies import Refused, line
from engine.pop3.server_context import Limits, ServerContext
from engine.pop3.session import Session

log = logging.getLogger(__name__)

# Database threads of a process, and so many database connections at most.
THREADS = 4
GREETING = line("+OK Postern POP3 ready")
# Seconds for a client to read our last reply before we hang up.
LAST_REPLY_SECONDS = 5


def new_context(tls: ssl.SSLContext, limits: connection_limits.Limits) -> ServerContext:
    """Returns the context that the sessions of both ports share."""
    threads = DatabaseThreads("pop3", count=THREADS)
    return ServerContext(tls, threads, Limits(places=limits))


async def listen(
    server: ServerContext, *, host: str, port: int, tls_port: int, is_shared: bool
) -> list[asyncio.Server]:
    """Opens both ports: one with STLS (RFC 2595), one with implicit TLS (RFC 8314)."""
    return [
        await open_port(server, host=host, port=port, is_shared=is_shared),
        await open_port(
            server, host=host, port=tls_port, implicit_tls=True, is_shared=is_shared
        ),
    ]


async def open_port(
    server: ServerContext,
    *,
    host: str,
    port: int,
    implicit_tls: bool = False,
    is_shared: bool = False,
) -> asyncio.Server:
    """Opens a port and starts a session for each connection to it.

    With `is_shared`, several processes may listen on the same port. Port 0 takes a free
    one.
    """

    def start_session(connection: Connection) -> None:
        place = connection.admit(server.sessions)
        if place is None:
            connection.refuse(bytes(replies.CROWDED))
            return
        session = asyncio.create_task(run_session(server, connection))
        server.track(session, place)

    def new_connection(client: Endpoint | None) -> asyncio.BaseProtocol:
        patience = server.limits.idle
        connection = Connection(start_session, patience=patience, client=client)
        if implicit_tls:
            # Read for each connection: a renewed certificate comes with a new context.
            context, own = server.tls_context, server.sessions
            return ImplicitTls(connection, context=context, sessions=own, client=client)
        return connection

    return await server_connections.open_port(
        new_connection, host=host, port=port, is_shared=is_shared
    )


async def run_session(server: ServerContext, connection: Connection) -> None:
    """Runs a session to its end. Never raises, never leaves a maildrop locked."""
    session = Session(server, connection)
    try:
        await _answer_commands(session, server, connection)
    except LineTooLong:
        await _say_last(connection, bytes(replies.LINE_TOO_LONG))
    except TimeoutError:
        # RFC 1939 §3: an idle client is disconnected without a reply.
        connection.abort()
    except ConnectionEnded:
        log.debug("%s hung up", connection.peer)
    except Exception:
        log.exception("A POP3 session with %s failed", connection.peer)
        await _say_last(connection, bytes(replies.FAULT))
    finally:
        connection.close()
        await session.end()


async def _answer_commands(
    session: Session, server: ServerContext, connection: Connection
) -> None:
    refused = 0
    await connection.write(GREETING)
    while not session.has_ended and refused < server.limits.errors:
        if not await _answer_next(session, connection):
            refused += 1


async def _answer_next(session: Session, connection: Connection) -> bool:
    """Reads and answers one command; returns False where it was refused."""
    text = await connection.read_line()
    try:
        await session.answer(Command.parse(text))
    except Refused as error:
        await connection.write(bytes(error.reply))
        return False
    except MailError as error:
        await connection.write(bytes(replies.temporary(error.reply.text)))
        return False
    return True


async def _say_last(connection: Connection, reply: bytes) -> None:
    try:
        async with asyncio.timeout(LAST_REPLY_SECONDS):
            await connection.write(reply)
    except (ConnectionEnded, TimeoutError):
        connection.abort()
