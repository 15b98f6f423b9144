"""Reads the message that follows DATA, however large, without blocking other sessions."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from engine.database import transient_errors
from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.header import TOO_LONG
from engine.mail.smtp_replies import Reply
from engine.smtp.message_acceptance import ReceivedMessage, accept_message
from engine.smtp.server_context import ServerContext

log = logging.getLogger(__name__)

# RFC 5321 §4.1.1.4: the dot that ends the data stands alone on its line.
END = b"\r\n.\r\n"
_PREFIXES = tuple(END[:length] for length in range(len(END) - 1, 0, -1))

# Octets. A client that exceeds the size limit by less is read to its end, so that it
# gets the 552: many clients that are reset while they send never read the reply.
OVERRUN = 64 * 1024 * 1024
# Seconds for a whole message: 50 MB at half a megabit a second.
DEADLINE = 900
# Seconds before the first octet (RFC 5321 §4.5.3.2.5 has a client wait three minutes for
# each block), and octets a second that must arrive on average from then on.
PATIENCE = 180
LEAST_RATE = 1_000


class DataReader:
    """Takes chunks of DATA and returns the message without its transparent dots.

    It never looks at single lines: searching and counting run at the speed of memory,
    so that one large message does not hold up the event loop for all others.
    """

    def __init__(self) -> None:
        # DATA begins as if a line had just ended, so that a dot on the first line counts.
        self._held = b"\r\n"
        self._strip = 2
        self.is_done = False
        self.has_bare_newline = False
        self.has_nul = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Takes a chunk and returns the octets that are certain to be content.

        After the closing dot, `is_done` is True and `rest` holds the octets behind it:
        commands that the client has pipelined.
        """
        buffer = self._held + chunk
        end = buffer.find(END)
        if end >= 0:
            self.is_done = True
            self.rest = buffer[end + len(END) :]
            self._held = b""
            return self._content(buffer[: end + 2])
        # The network may cut the end mark anywhere: hold back what may be its beginning.
        self._held = next((p for p in _PREFIXES if buffer.endswith(p)), b"")
        return self._content(buffer[: len(buffer) - len(self._held)])

    def _content(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        # RFC 5321 §2.3.8: CR and LF stand only together. Servers disagree about lines
        # that end in one alone; relaying them would make us the sending half of an SMTP
        # smuggling attack.
        # Taking both out and comparing lengths costs half as much as counting each.
        if len(raw) - len(raw.translate(None, b"\r\n")) != 2 * raw.count(b"\r\n"):
            self.has_bare_newline = True
        if b"\0" in raw:
            self.has_nul = True
        if b"\r\n." in raw:
            raw = raw.replace(b"\r\n.", b"\r\n")
        if self._strip:
            raw, self._strip = raw[self._strip :], 0
        return raw


class MessageSource(Protocol):
    """The part of a session that a message is read from."""

    def push(self, reply: str) -> object:
        """Sends a line to the client."""

    async def read_chunk(self) -> bytes:
        """Returns the next octets; raises ConnectionResetError at the end."""

    def push_back(self, rest: bytes) -> None:
        """Returns octets behind the message to the command loop."""

    async def is_sign_in_valid(self) -> bool:
        """Returns whether the session's credential is still valid."""


async def read_message(
    source: MessageSource, message: ReceivedMessage, server: ServerContext
) -> Reply:
    """Sends 354, reads the message, accepts it, and returns the reply for the client.

    Raises ConnectionResetError when the client hangs up or is too slow.
    """
    is_complete = False
    try:
        source.push("354 End with a dot alone on a line")
        async with asyncio.timeout(PATIENCE) as deadline:
            refusal = await _read(source, message, server.size_limit, deadline)
        if refusal is not None:
            return refusal
        # Reading may take a quarter of an hour, in which the sender may be signed out.
        if not await source.is_sign_in_valid():
            return smtp_replies.SIGN_IN_ENDED
        is_complete = True
    except Exception as error:
        # Only the end of the connection is safe here: if the session went on, the rest
        # of the message would be read as commands.
        is_ours = not isinstance(error, ConnectionError | TimeoutError)
        log.warning(
            "a message from %s broke off: %s",
            message.peer.address,
            error,
            exc_info=is_ours,
        )
        source.push(str(smtp_replies.BROKEN_OFF))
        raise ConnectionResetError("the message was not read to its end") from error
    finally:
        if not is_complete:
            await _release(message)
    # Shielded: a client that hangs up now cancels the session, and must not undo a
    # message that is half way to the disk.
    return await asyncio.shield(asyncio.ensure_future(_accept(message, server)))


async def _accept(message: ReceivedMessage, server: ServerContext) -> Reply:
    try:
        return await accept_message(message, server.routes(), server.committer)
    except MailError as error:
        return error.reply
    except Exception:
        log.exception("a message from %s was not accepted", message.peer.address)
        return smtp_replies.TRY_LATER
    finally:
        await _release(message)


async def _read(
    source: MessageSource,
    message: ReceivedMessage,
    limit: int,
    deadline: asyncio.Timeout,
) -> Reply | None:
    """Reads all of a message; returns a refusal where its form or the scanner asks one."""
    data, spool = DataReader(), message.spool
    began = asyncio.get_running_loop().time()
    failure: Reply | None = None
    size = seen = 0
    while not data.is_done:
        chunk = await source.read_chunk()
        content = data.feed(chunk)
        seen += len(chunk)
        deadline.reschedule(began + seconds_for(seen))
        size += len(content)
        if seen > limit + OVERRUN:
            raise ConnectionResetError("the message went on far over the limit")
        if size > limit:
            failure = smtp_replies.TOO_BIG
        if failure is None:
            failure = _keep(message, content) or await _scan(message, content)
    source.push_back(data.rest)
    if data.has_bare_newline:
        return smtp_replies.BARE_LINE_ENDING
    if data.has_nul:
        return smtp_replies.NUL_INSIDE
    if spool.header_too_large:
        return smtp_replies.BAD_HEADER.saying(TOO_LONG)
    return failure


def seconds_for(octets: int) -> float:
    """Returns the seconds from its start that a message of so many octets may take.

    The least rate counts only after the patience: a slow client that sends a little at
    a time would otherwise hold a session and a scanner for a quarter of an hour.
    """
    return min(DEADLINE, PATIENCE + octets / LEAST_RATE)


def _keep(message: ReceivedMessage, content: bytes) -> Reply | None:
    """Writes to the spool; returns a refusal where the disk is full.

    The rest is read all the same: a client that is reset while it sends may never read
    the 452 (seen in the test of a full disk, which lost that race on PostgreSQL).
    """
    try:
        message.spool.write(content)
    except OSError as error:
        if not transient_errors.is_disk_full(error):
            raise
        log.error("the disk has no room for a message from %s", message.peer.address)
        return smtp_replies.NO_ROOM
    return None


async def _scan(message: ReceivedMessage, content: bytes) -> Reply | None:
    """Feeds the scanner. An early failure is reported at the end of the message."""
    try:
        await message.scan.feed(content)
    except MailError as error:
        return error.reply
    return None


async def _release(message: ReceivedMessage) -> None:
    message.spool.discard()
    await message.scan.abandon()
