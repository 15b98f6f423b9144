"""The TRANSACTION and UPDATE states: commands on an open maildrop (RFC 1939 §5 to §7)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import islice
from typing import ClassVar

from django.db import Error

from engine.encryption.errors import UnreadableError
from engine.pop3 import maildrop, replies
from engine.pop3.command_parser import Command
from engine.pop3.connection import Connection
from engine.pop3.dot_stuffing import DotStuffer, first_lines
from engine.pop3.maildrop import Access, Item, Maildrop
from engine.pop3.maildrop_lock import MaildropLease
from engine.pop3.read_ahead import ReadAhead
from engine.pop3.replies import Refused, line
from engine.pop3.server_context import ServerContext
from engine.storage import content
from engine.storage.models import Message

log = logging.getLogger(__name__)

LINES_AT_ONCE = 1000  # of a listing
CHUNK = 64 * 1024  # octets of a body in memory at a time


class TransactionState:
    """An open maildrop, locked for this session, and the messages marked as deleted."""

    def __init__(
        self, server: ServerContext, connection: Connection, access: Access
    ) -> None:
        self._server = server
        self._connection = connection
        self._mailbox = access.mailbox
        self._can_delete = access.can_delete
        self._lease = MaildropLease(access.mailbox.pk)
        self._maildrop: Maildrop
        self._ahead: ReadAhead
        self._deleted: set[int] = set()

    @classmethod
    def begin(
        cls, server: ServerContext, connection: Connection, access: Access
    ) -> TransactionState:
        """Reserves the mailbox within this process. Raises Refused when it is in use."""
        if access.mailbox.pk in server.in_use:
            raise Refused(replies.IN_USE)
        server.in_use.add(access.mailbox.pk)
        return cls(server, connection, access)

    async def open(self) -> int:
        """Locks the mailbox for all processes and lists its messages.

        Returns the number of messages. Raises Refused when the mailbox is in use.
        """
        in_thread = self._server.threads.run
        if not await in_thread(self._lease.acquire):
            raise Refused(replies.IN_USE)
        self._server.renewal.add(self._lease)
        self._maildrop = await in_thread(maildrop.open_maildrop, self._mailbox)
        self._ahead = ReadAhead(self._maildrop, self._server.threads)
        return len(self._maildrop)

    async def answer(self, command: Command) -> None:
        """Answers a command. Raises Refused."""
        handler = self.HANDLERS.get(command.name)
        if handler is None:
            raise Refused(replies.UNKNOWN)
        await handler(self, command)

    async def update(self) -> None:
        """Deletes the marked messages: the UPDATE state (RFC 1939 §6).

        Raises Refused, with nothing deleted, where the database was away for so long
        that the lock expired: another session may have opened the maildrop meanwhile,
        and deleted other messages.
        """
        if self._deleted:
            if not await self._server.threads.run(self._lease.renew):
                raise Refused(replies.LOST)
            await self._server.threads.run(
                maildrop.erase, self._maildrop, self._deleted
            )

    async def close(self) -> None:
        """Releases the mailbox."""
        self._server.in_use.discard(self._mailbox.pk)
        self._server.renewal.discard(self._lease)
        try:
            await self._server.threads.run(self._lease.release)
        except Error:
            log.exception("a maildrop's lock was not released and will expire")

    async def _stat(self, command: Command) -> None:
        await self._say(self._total())

    async def _list(self, command: Command) -> None:
        await self._listing(command, lambda item: item.size, self._total())

    async def _uidl(self, command: Command) -> None:
        await self._listing(command, lambda item: item.message_id, "")

    async def _listing(
        self, command: Command, fact: Callable[[Item], int], title: str
    ) -> None:
        for number in command.numbers(least=0, most=1):
            await self._say(f"{number} {fact(self._item(number))}")
            return
        await self._say(title)
        lines = (line(f"{number} {fact(item)}") for number, item in self._remaining())
        while some := b"".join(islice(lines, LINES_AT_ONCE)):
            await self._connection.write(some)
        await self._connection.write(replies.END)

    async def _retr(self, command: Command) -> None:
        (number,) = command.numbers(least=1, most=1)
        item = self._item(number)
        title = f"{item.size} octets"
        message = await self._ahead.get(number)
        if message is None:
            await self._send(item, title, body_lines=None)
            return
        stuffer = DotStuffer()
        whole = stuffer.feed(_ok(title) + message) + stuffer.finish()
        await self._connection.write(whole)

    async def _top(self, command: Command) -> None:
        number, body_lines = command.numbers(least=2, most=2)
        await self._send(self._item(number), "", body_lines=body_lines)

    async def _send(self, item: Item, title: str, *, body_lines: int | None) -> None:
        in_thread = self._server.threads.run
        try:
            header, kept = await in_thread(
                partial(
                    maildrop.find_message,
                    self._maildrop,
                    item,
                    is_fetched=body_lines != 0,
                )
            )
            body = await content.open_in_thread(kept)
        except (Message.DoesNotExist, FileNotFoundError) as error:
            raise Refused(replies.GONE) from error
        except UnreadableError as error:
            raise Refused(replies.UNREADABLE) from error
        with body:
            chunks = iter(partial(body.read, CHUNK), b"")
            if body_lines is not None:
                chunks = first_lines(chunks, body_lines)
            stuffer = DotStuffer()
            await self._connection.write(stuffer.feed(_ok(title) + header))
            while chunk := await in_thread(partial(next, chunks, b"")):
                await self._connection.write(stuffer.feed(chunk))
            await self._connection.write(stuffer.finish())

    async def _dele(self, command: Command) -> None:
        (number,) = command.numbers(least=1, most=1)
        self._item(number)
        if not self._can_delete:
            raise Refused(replies.READ_ONLY)
        self._deleted.add(number)
        await self._say("")

    async def _rset(self, command: Command) -> None:
        self._deleted.clear()
        await self._say(self._total())

    async def _noop(self, command: Command) -> None:
        await self._say("")

    def _item(self, number: int) -> Item:
        if number in self._deleted or not 0 < number <= len(self._maildrop):
            raise Refused(replies.NO_SUCH_MESSAGE)
        return self._maildrop.item(number)

    def _remaining(self) -> Iterator[tuple[int, Item]]:
        for number in range(1, len(self._maildrop) + 1):
            if number not in self._deleted:
                yield number, self._maildrop.item(number)

    def _total(self) -> str:
        total = sum(self._maildrop.sizes)
        deleted = sum(self._maildrop.item(number).size for number in self._deleted)
        left = len(self._maildrop) - len(self._deleted)
        return f"{left} {total - deleted}"

    async def _say(self, text: str) -> None:
        await self._connection.write(_ok(text))

    HANDLERS: ClassVar[
        dict[str, Callable[[TransactionState, Command], Awaitable[None]]]
    ] = {
        "DELE": _dele,
        "LIST": _list,
        "NOOP": _noop,
        "RETR": _retr,
        "RSET": _rset,
        "STAT": _stat,
        "TOP": _top,
        "UIDL": _uidl,
    }


def _ok(text: str) -> bytes:
    return line(f"+OK {text}".rstrip())
