"""Keeps and scans a message while it arrives, by DATA or by BDAT, and then accepts it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from engine.database import transient_errors
from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.header import TOO_LONG
from engine.mail.smtp_replies import Reply
from engine.smtp.message_acceptance import ReceivedMessage, accept_message
from engine.smtp.server_context import ServerContext

log = logging.getLogger(__name__)

# Octets. A client that exceeds the size limit by less is read to its end, so that it
# gets the 552: many clients that are reset while they send never read the reply.
OVERRUN = 64 * 1024 * 1024
# Seconds for a whole message: 50 MB at half a megabit a second.
DEADLINE = 900
# Seconds before the first octet (RFC 5321 §4.5.3.2.5 has a client wait three minutes for
# each block), and octets a second that must arrive on average from then on.
PATIENCE = 180
LEAST_RATE = 1_000


class MessageSource(Protocol):
    """The part of a session that a message is read from."""

    def push(self, reply: str) -> object:
        """Sends a line to the client."""

    async def read_chunk(self) -> bytes:
        """Returns the next octets; raises ConnectionResetError at the end."""

    async def read_part(self, most: int) -> bytes:
        """Returns the next octets, up to `most`; raises ConnectionResetError."""

    def push_back(self, rest: bytes) -> None:
        """Returns octets behind the message to the command loop."""

    async def is_sign_in_valid(self) -> bool:
        """Returns whether the session's credential is still valid."""


class MessageIntake:
    """One message on its way in. Ends with `accept` or `release`.

    `failure` is the refusal that its size, the disk or the scanner asks for; what arrives
    after that is counted and dropped.
    """

    def __init__(self, message: ReceivedMessage, server: ServerContext) -> None:
        self._message, self._server = message, server
        self._size = self._seen = 0
        self.failure: Reply | None = None

    async def take(self, content: bytes, *, arrived: int) -> None:
        """Takes the next octets of content, of `arrived` octets that the client sent.

        Raises ConnectionResetError where the client goes on far over the limit.
        """
        limit = self._server.size_limit
        self._seen += arrived
        self._size += len(content)
        if self._seen > limit + OVERRUN:
            raise ConnectionResetError("the message went on far over the limit")
        if self._size > limit:
            self.failure = smtp_replies.TOO_BIG
        if self.failure is None:
            self.failure = _keep(self._message, content) or await _scan(
                self._message, content
            )

    def refusal(self, *, has_bare_newline: bool, has_nul: bool) -> Reply | None:
        """Returns the refusal of what has arrived so far; faults of its form come first."""
        if has_bare_newline:
            return smtp_replies.BARE_LINE_ENDING
        if has_nul:
            return smtp_replies.NUL_INSIDE
        if self._message.spool.header_too_large:
            return smtp_replies.BAD_HEADER.saying(TOO_LONG)
        return self.failure

    async def accept(self) -> Reply:
        """Accepts the complete message and returns the reply for the client."""
        # Shielded: a client that hangs up now cancels the session, and must not undo a
        # message that is half way to the disk.
        return await asyncio.shield(asyncio.ensure_future(self._accept()))

    async def _accept(self) -> Reply:
        message, server = self._message, self._server
        try:
            return await accept_message(message, server.routes(), server.committer)
        except MailError as error:
            return error.reply
        except Exception:
            log.exception("a message from %s was not accepted", message.peer.address)
            return smtp_replies.TRY_LATER
        finally:
            await self.release()

    async def release(self) -> None:
        """Discards what was kept of the message. Harmless when called twice."""
        self._message.spool.discard()
        await self._message.scan.abandon()


@contextmanager
def unbroken(source: MessageSource, client: object) -> Iterator[None]:
    """Ends the connection of a client whose message could not be read to its end.

    If the session went on, the rest of the message would be read as commands. Raises
    ConnectionResetError in place of any other error.
    """
    try:
        yield
    except Exception as error:
        is_ours = not isinstance(error, ConnectionError | TimeoutError)
        log.warning("a message from %s broke off: %s", client, error, exc_info=is_ours)
        source.push(str(smtp_replies.BROKEN_OFF))
        raise ConnectionResetError("the message was not read to its end") from error


def seconds_for(octets: int) -> float:
    """Returns the seconds from its start that a message of so many octets may take.

    The least rate counts only after the patience: a slow client that sends a little at
    a time would otherwise hold a session and a scanner for a quarter of an hour.
    """
    return min(DEADLINE, PATIENCE + octets / LEAST_RATE)


def has_bare_newline(raw: bytes) -> bool:
    """Returns whether a CR or LF stands alone.

    RFC 5321 §2.3.8: CR and LF stand only together. Servers disagree about lines that end
    in one alone; relaying them would make us the sending half of an SMTP smuggling attack.
    """
    # Taking both out and comparing lengths costs half as much as counting each.
    return len(raw) - len(raw.translate(None, b"\r\n")) != 2 * raw.count(b"\r\n")


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
