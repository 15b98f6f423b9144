"""Reads a message that arrives in chunks, each announced by BDAT (RFC 3030 §2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_path import SyntaxErrorInCommand
from engine.mail.smtp_replies import Reply
from engine.smtp import message_intake
from engine.smtp.message_intake import MessageIntake, MessageSource, unbroken
from engine.smtp.server_context import ServerContext

# RFC 3030 §2 gives no limit; 20 digits hold any size that SIZE may announce (RFC 1870 §4).
MAX_DIGITS = 20

# What releases abandoned messages: asyncio itself keeps no task alive.
_releases: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Chunk:
    """The argument of BDAT: how many octets follow, and whether they are the last."""

    size: int
    is_last: bool = False

    @classmethod
    def parse(cls, argument: str) -> Chunk:
        """Returns the chunk announced. Raises SyntaxErrorInCommand."""
        size, _, mark = argument.partition(" ")
        # isdigit() alone would let superscripts through.
        if not size.isascii() or not size.isdigit() or len(size) > MAX_DIGITS:
            raise SyntaxErrorInCommand("BDAT needs the number of octets that follow")
        if mark.strip(" ").upper() not in ("", "LAST"):
            raise SyntaxErrorInCommand("Only LAST may follow the number of octets")
        return cls(int(size), bool(mark.strip(" ")))


class LineWatch:
    """Looks at line ends and NUL characters wherever the chunks are cut."""

    def __init__(self) -> None:
        self._held = b""
        self._has_bare_newline = False
        self.has_nul = False
        self.is_at_line_start = True

    def feed(self, octets: bytes) -> None:
        """Takes the next octets of the message."""
        if not octets:
            return
        raw = self._held + octets
        self.is_at_line_start = raw.endswith(b"\r\n")
        # Whether a CR at the end stands alone, the next octet shows.
        self._held = b"\r" if raw.endswith(b"\r") else b""
        if message_intake.has_bare_newline(raw[: len(raw) - len(self._held)]):
            self._has_bare_newline = True
        if b"\0" in octets:
            self.has_nul = True

    def has_bare_newline(self, *, at_end: bool) -> bool:
        """Returns whether a CR or LF stands alone in what was fed so far."""
        return self._has_bare_newline or (at_end and bool(self._held))


@dataclass(slots=True)
class Pace:
    """When a message began, in the loop's time, and how many octets have come."""

    began: float
    seen: int = 0

    @property
    def end(self) -> float:
        """Until when more has to come."""
        return self.began + message_intake.seconds_for(self.seen)


class ChunkedMessage:
    """The message of a transaction that BDAT has begun.

    `refusal` is set by the first chunk that is refused. The octets of all chunks after it
    are read and dropped, for a client that pipelines has sent them already.
    """

    def __init__(
        self, intake: MessageIntake, client: object, on_overdue: Callable[[], None]
    ) -> None:
        self._intake, self._client = intake, client
        self._lines = LineWatch()
        loop = asyncio.get_running_loop()
        self._pace = Pace(loop.time())
        self._on_overdue = on_overdue
        # Without it, a client that says NOOP between chunks would hold a scanner.
        self._overdue = loop.call_at(self._pace.end, on_overdue)
        self._is_handed_on = False
        self.refusal: Reply | None = None

    async def read(self, source: MessageSource, chunk: Chunk) -> Reply:
        """Reads a chunk that is not the last, and returns the reply to it."""
        await self._read(source, chunk)
        return self.refusal or smtp_replies.OK.saying(f"{chunk.size} octets received")

    async def read_last(self, source: MessageSource, chunk: Chunk) -> Reply:
        """Reads the last chunk, accepts the message, and returns the reply."""
        await self._read(source, chunk)
        self._overdue.cancel()
        if self.refusal is None and not await source.is_sign_in_valid():
            self.refusal = smtp_replies.SIGN_IN_ENDED
        # Whatever happens to the session now, it is for accept() to release the message.
        self._is_handed_on = True
        if self.refusal is not None:
            await self._intake.release()
            return self.refusal
        return await self._intake.accept()

    def abandon(self) -> None:
        """Discards what has arrived, unless it has been handed on to be accepted."""
        self._overdue.cancel()
        if self._is_handed_on:
            return
        task = asyncio.ensure_future(self._intake.release())
        _releases.add(task)
        task.add_done_callback(_releases.discard)

    async def _read(self, source: MessageSource, chunk: Chunk) -> None:
        with unbroken(source, self._client):
            await _octets(source, chunk.size, self._take, self._pace)
            if chunk.is_last and not self._lines.is_at_line_start:
                # Mail is made of lines, and DATA cannot end within one. DKIM completes
                # the last line as well before it hashes (RFC 6376 §3.4.3).
                await self._take(b"\r\n")
        self.refusal = self.refusal or self._intake.refusal(
            has_bare_newline=self._lines.has_bare_newline(at_end=chunk.is_last),
            has_nul=self._lines.has_nul,
        )
        self._overdue.cancel()
        if self.refusal is not None:
            # Its scanner is another's; what follows is read and dropped.
            await self._intake.release()
        elif not chunk.is_last:
            loop = asyncio.get_running_loop()
            self._overdue = loop.call_at(self._pace.end, self._on_overdue)

    async def _take(self, octets: bytes) -> None:
        if self.refusal is None:
            self._lines.feed(octets)
            await self._intake.take(octets, arrived=len(octets))


def announced(argument: str, server: ServerContext, dropped: Pace | None) -> Chunk:
    """Returns the chunk that BDAT announces. Raises MailError.

    What was `dropped` of its message counts too, so that chunks come to an end.
    """
    chunk, most = Chunk.parse(argument), server.size_limit + message_intake.OVERRUN
    if chunk.size + (dropped.seen if dropped else 0) > most:
        raise MailError(smtp_replies.TOO_BIG)
    return chunk


async def discard(
    source: MessageSource, chunk: Chunk, client: object, before: Pace | None
) -> Pace:
    """Reads the octets of a refused BDAT, so that none is taken for a command.

    They share the time of those that were dropped `before`. Returns the pace of all.
    Raises ConnectionResetError when the client hangs up or is too slow.
    """

    async def drop(octets: bytes) -> None:
        pass

    pace = before or Pace(asyncio.get_running_loop().time())
    with unbroken(source, client):
        await _octets(source, chunk.size, drop, pace)
    return pace


async def _octets(
    source: MessageSource,
    size: int,
    take: Callable[[bytes], Awaitable[None]],
    pace: Pace,
) -> None:
    """Reads exactly so many octets, at the pace of the whole message."""
    async with asyncio.timeout_at(pace.end) as deadline:
        while size:
            octets = await source.read_part(size)
            size -= len(octets)
            pace.seen += len(octets)
            deadline.reschedule(pace.end)
            await take(octets)
