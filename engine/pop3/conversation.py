"""One connection from its greeting to its end, whatever happens in between."""

from __future__ import annotations

import asyncio
import logging

from engine.mail.errors import MailError
from engine.pop3 import commands
from engine.pop3.commands import Command, Refused, line
from engine.pop3.connection import Connection, ConnectionEnded, LineTooLong
from engine.pop3.server_context import Listener
from engine.pop3.session import Session

log = logging.getLogger(__name__)

GREETING = line("+OK Postern POP3 ready")


async def converse(listener: Listener, connection: Connection) -> None:
    """Run a session to its end. Never raises, never leaves a maildrop locked."""
    session = Session(listener, connection)
    try:
        await _talk(session, listener, connection)
    except LineTooLong:
        await _part(connection, bytes(commands.LINE_TOO_LONG))
    except TimeoutError:
        # RFC 1939 §3: nothing is said to a peer that keeps us waiting.
        connection.abort()
    except ConnectionEnded:
        log.debug("%s hung up", connection.peer)
    except Exception:
        log.exception("A POP3 session with %s failed", connection.peer)
        await _part(connection, bytes(commands.FAULT))
    finally:
        connection.close()
        await session.end()


async def _talk(session: Session, listener: Listener, connection: Connection) -> None:
    refused = 0
    await connection.write(GREETING)
    while not session.has_ended and refused < listener.limits.errors:
        if not await _answer_one(session, connection):
            refused += 1


async def _answer_one(session: Session, connection: Connection) -> bool:
    """Take one command; False when it was refused."""
    text = await connection.read_line()
    try:
        await session.answer(Command.parse(text))
    except Refused as error:
        await connection.write(bytes(error.refusal))
        return False
    except MailError as error:
        await connection.write(line(f"-ERR [SYS/TEMP] {error.reply.text}"))
        return False
    return True


async def _part(connection: Connection, last_words: bytes) -> None:
    try:
        async with asyncio.timeout(5):
            await connection.write(last_words)
    except (ConnectionEnded, TimeoutError):
        connection.abort()
