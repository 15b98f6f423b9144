"""Reading one message off the wire, however large, without holding up the others."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from engine import faults
from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_replies import Reply
from engine.smtp.data import DataReader
from engine.smtp.message_acceptance import Arrival, accept_arrival
from engine.smtp.server_context import Listener

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
# A peer that goes on after the size limit gets its 552 at the end, up to here.
OVERRUN = 64 * 1024 * 1024
# Seconds for the whole of one message: 50 MB at half a megabit a second.
DEADLINE = 900
# Seconds before the first octet (RFC 5321 §4.5.3.2.5 has a client wait three minutes for
# each block), and octets that must come in every second from then on, on average.
PATIENCE = 180
LEAST_RATE = 1_000


class Wire(Protocol):
    """The part of a session that reading needs."""

    async def push(self, status: str) -> None: ...

    async def read_chunk(self, size: int) -> bytes: ...

    def push_back(self, rest: bytes) -> None: ...

    async def sign_in_holds(self) -> bool: ...


async def read_message(wire: Wire, arrival: Arrival, listener: Listener) -> Reply:
    """Say 354, take the message, accept it, and return the reply for the peer.

    Raises ConnectionResetError when the peer hangs up or takes too long.
    """
    is_taken = False
    try:
        await wire.push("354 End with a dot alone on a line")
        async with asyncio.timeout(PATIENCE) as deadline:
            refusal = await _read(wire, arrival, listener.size_limit, deadline)
        if refusal is not None:
            return refusal
        # A message may take a quarter of an hour; its sender may be signed out meanwhile.
        if not await wire.sign_in_holds():
            return smtp_replies.SIGN_IN_ENDED
        is_taken = True
    except Exception as error:
        # The rest of the message must never be read as commands.
        is_ours = not isinstance(error, ConnectionError | TimeoutError)
        log.warning(
            "a message from %s broke off: %s",
            arrival.peer.address,
            error,
            exc_info=is_ours,
        )
        await wire.push(str(smtp_replies.BROKEN_OFF))
        raise ConnectionResetError("the message was not read to its end") from error
    finally:
        if not is_taken:
            await _let_go(arrival)
    # A peer that hangs up now must not undo what is half way to the disk.
    return await asyncio.shield(asyncio.ensure_future(_accept(arrival, listener)))


async def _accept(arrival: Arrival, listener: Listener) -> Reply:
    try:
        return await accept_arrival(arrival, listener.routes(), listener.committer)
    except MailError as error:
        return error.reply
    except Exception:
        log.exception("a message from %s was not accepted", arrival.peer.address)
        return smtp_replies.TRY_LATER
    finally:
        await _let_go(arrival)


async def _read(
    wire: Wire, arrival: Arrival, limit: int, deadline: asyncio.Timeout
) -> Reply | None:
    """Take all of it; return a refusal when its form or the scanner forbids it."""
    data, spool = DataReader(), arrival.spool
    began = asyncio.get_running_loop().time()
    failure: Reply | None = None
    size = seen = 0
    while not data.is_done:
        chunk = await wire.read_chunk(CHUNK)
        content = data.feed(chunk)
        seen += len(chunk)
        deadline.reschedule(began + seconds_for(seen))
        size += len(content)
        if seen > limit + OVERRUN:
            raise ConnectionResetError("the message went on far over the limit")
        if size > limit:
            failure = smtp_replies.TOO_BIG
        if failure is None:
            failure = _keep(arrival, content) or await _feed(arrival, content)
    wire.push_back(data.rest)
    if data.has_bare_newline:
        return smtp_replies.BARE_LINE_ENDING
    if data.has_nul:
        return smtp_replies.NUL_INSIDE
    if spool.header_too_large:
        return smtp_replies.BAD_HEADER.saying("The header is too long")
    return failure


def seconds_for(octets: int) -> float:
    """By when, since it began, a message must go on of which that much has come."""
    return min(DEADLINE, PATIENCE + octets / LEAST_RATE)


def _keep(arrival: Arrival, content: bytes) -> Reply | None:
    """Spool it. Where the disk is full the rest is read all the same: a peer that is hung
    up on while it sends may never hear why.
    """
    try:
        arrival.spool.write(content)
    except OSError as error:
        if not faults.is_full(error):
            raise
        log.error("there is no room for a message from %s", arrival.peer.address)
        return smtp_replies.NO_ROOM
    return None


async def _feed(arrival: Arrival, content: bytes) -> Reply | None:
    """Feed the scanner. When it fails early, the peer hears so at the end."""
    try:
        await arrival.scan.feed(content)
    except MailError as error:
        return error.reply
    return None


async def _let_go(arrival: Arrival) -> None:
    arrival.spool.discard()
    await arrival.scan.abandon()
