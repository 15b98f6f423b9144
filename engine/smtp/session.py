"""Answers the commands of an SMTP session (RFC 5321 §4.1, RFC 3207, RFC 3030)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_path import SyntaxErrorInCommand, parse_path
from engine.mail.smtp_replies import Reply
from engine.queue.sending_rates import rate_limits
from engine.smtp import chunked_message
from engine.smtp.bound_session import BoundSession
from engine.smtp.chunked_message import Chunk, ChunkedMessage
from engine.smtp.command_stream import Method
from engine.smtp.data_reader import read_message
from engine.smtp.mail_transaction import RECIPIENT_LIMIT, Parameters
from engine.smtp.message_acceptance import ReceivedMessage
from engine.smtp.message_intake import MessageIntake
from engine.smtp.session_binding import Binding
from engine.smtp.spool import Spool


class Session(BoundSession):
    """One session: nothing before TLS, and no mail from a client that is not bound."""

    # The message that BDAT has begun, until its last chunk.
    _chunked: ChunkedMessage | None = None
    # Why a chunk of the message was refused, which is none without it; what was dropped.
    _refused_chunk: Reply | None = None
    _dropped: chunked_message.Pace | None = None
    # Whether the octets that BDAT announces are still to be read.
    _owes_octets = False

    async def run(self, command: str, method: Method, argument: str | None) -> None:
        """Runs a command. A BDAT that fails before its octets are read ends the session,
        whatever the fault: a message's content must never be taken for commands."""
        self._owes_octets = command == "BDAT"
        try:
            await super().run(command, method, argument)
        except Exception as error:
            if not self._owes_octets or isinstance(error, ConnectionResetError):
                raise
            self.push(await self.handle_exception(error))
        if self._owes_octets:
            self.push(str(smtp_replies.OUT_OF_STEP))
            self.hang_up()

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """Answers EHLO with the extensions offered (RFC 5321 §4.1.1.1)."""
        if not hostname:
            text = "EHLO needs your host name"
            self.send_reply(smtp_replies.BAD_SYNTAX.saying(text))
            return
        self.end_transaction()
        self.helo = hostname
        lines = [self.hostname, *self._extensions()]
        last = len(lines) - 1
        text = "\r\n".join(
            f"250{' ' if number == last else '-'}{line}"
            for number, line in enumerate(lines)
        )
        self.push(text)

    def _extensions(self) -> list[str]:
        offered = [
            f"SIZE {self.server.size_limit}",
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "DSN",
            "CHUNKING",
            # RFC 9422. Neither messages in a session nor recipients' domains are counted.
            f"LIMITS RCPTMAX={RECIPIENT_LIMIT}",
        ]
        if self.peer.is_secure:
            mechanisms = " ".join(self.server.policy.mechanisms())
            return [*offered, "REQUIRETLS", f"AUTH {mechanisms}"]
        return [*offered, "STARTTLS"]

    async def smtp_HELO(self, hostname: str | None) -> None:
        """Answers HELO inside TLS only: a client that says HELO cannot ask for STARTTLS."""
        if not self.peer.is_secure:
            text = "Say EHLO: TLS is required here"
            self.send_reply(smtp_replies.NOT_IMPLEMENTED.saying(text))
        elif not hostname:
            text = "HELO needs your host name"
            self.send_reply(smtp_replies.BAD_SYNTAX.saying(text))
        else:
            self.end_transaction()
            self.helo = hostname
            self.push(f"250 {self.hostname}")

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """Upgrades the connection to TLS (RFC 3207)."""
        if self.peer.is_secure:
            text = "TLS is already in use"
            self.send_reply(smtp_replies.BAD_SEQUENCE.saying(text))
        elif arg:
            text = "STARTTLS takes no parameter"
            self.send_reply(smtp_replies.BAD_SYNTAX.saying(text))
        else:
            self.push("220 2.0.0 Ready to start TLS")
            await self.start_tls()

    async def smtp_MAIL(self, arg: str | None) -> None:
        """Begins a mail transaction, if the client may send from the address."""
        bad_address = smtp_replies.BAD_SENDER
        await self.run_command("MAIL", self._mail, bad_address, arg or "")
        if not self.transaction.has_sender:
            # The next MAIL begins another message, with a reference of its own.
            self.end_transaction()

    async def _mail(self, arg: str) -> Reply:
        routes = self.server.routes()
        binding = await self.require_binding(routes)
        if self.transaction.has_sender:
            return smtp_replies.BAD_SEQUENCE.saying("MAIL was said already")
        address, parameters = _path("FROM:", arg)
        sender = self.server.policy.check_sender(routes, binding, address)
        rate_limits.check_sender(routes, binding.senders, messages=1)
        self.transaction.begin(sender, parameters, size_limit=self.server.size_limit)
        return smtp_replies.SENDER_OK

    async def smtp_RCPT(self, arg: str | None) -> None:
        """Adds a recipient, if the sender may write to it."""
        bad_address = smtp_replies.BAD_RECIPIENT
        await self.run_command("RCPT", self._rcpt, bad_address, arg or "")

    async def _rcpt(self, arg: str) -> Reply:
        routes = self.server.routes()
        binding = await self.require_binding(routes)
        if not self.transaction.has_sender:
            return smtp_replies.BAD_SEQUENCE.saying("Say MAIL first")
        if self._has_begun:
            return smtp_replies.BAD_SEQUENCE.saying("The message has begun already")
        address, parameters = _path("TO:", arg)
        if address is None:
            raise SyntaxErrorInCommand("RCPT needs an address")
        route = self.server.policy.check_recipient(
            routes, self.transaction.sender, address
        )
        count = len(self.transaction.recipients) + 1
        rate_limits.check_sender(routes, binding.senders, recipients=count)
        rate_limits.check_route(routes, route)
        self.transaction.add(route, parameters)
        return smtp_replies.RECIPIENT_OK

    async def smtp_DATA(self, arg: str | None) -> None:
        """Reads and accepts the message; the transaction ends in any case."""
        if self._has_begun:
            text = "BDAT has begun the message; end it with BDAT, or say RSET"
            self.answer("DATA", smtp_replies.BAD_SEQUENCE.saying(text))
            return
        await self.run_command("DATA", self._data, smtp_replies.BAD_SYNTAX, "")
        if self.transaction.recipients:
            self.end_transaction()

    async def _data(self, arg: str) -> Reply:
        binding = await self.require_binding(self.server.routes())
        if not self.transaction.recipients:
            return smtp_replies.NO_RECIPIENTS.saying("Say RCPT first")
        return await read_message(self, self._new_message(binding), self.server)

    async def smtp_BDAT(self, arg: str | None) -> None:
        """Reads a chunk of the message (RFC 3030 §2); the last ends the transaction.

        The octets that were announced are read in any case: they must never be taken for
        commands. Where they cannot be, the connection ends.
        """
        try:
            chunk = chunked_message.announced(arg or "", self.server, self._dropped)
        except MailError as error:
            self.answer("BDAT", error.reply)
            return
        begun = self._chunked
        refusal = self._refused_chunk or (begun.refusal if begun else None)
        if refusal is not None:
            # Traced when it was refused first.
            await self._discard(chunk)
            self.send_reply(refusal)
        else:
            bad_syntax = smtp_replies.BAD_SYNTAX
            await self.run_command("BDAT", partial(self._bdat, chunk), bad_syntax, "")
        if chunk.is_last:
            self._refused_chunk = self._dropped = None
            if self.transaction.recipients:
                self.end_transaction()

    @property
    def _has_begun(self) -> bool:
        """Whether BDAT has brought a part of the message, or lost one."""
        return self._chunked is not None or self._refused_chunk is not None

    async def _bdat(self, chunk: Chunk, arg: str) -> Reply:
        try:
            message = await self._chunked_message()
        except MailError as error:
            await self._discard(chunk)
            if self.transaction.has_sender:
                # For a moment perhaps; the message would be kept without this chunk.
                self._refused_chunk = error.reply
            raise
        # From here on they are read, or the connection ends.
        self._owes_octets = False
        if chunk.is_last:
            return await message.read_last(self, chunk)
        return await message.read(self, chunk)

    async def _discard(self, chunk: Chunk) -> None:
        self._owes_octets = False
        dropped, client = self._dropped, self.peer.address
        self._dropped = await chunked_message.discard(self, chunk, client, dropped)

    async def _chunked_message(self) -> ChunkedMessage:
        """Returns the message that the chunk belongs to. Raises MailError."""
        binding = await self.require_binding(self.server.routes())
        if not self.transaction.has_sender:
            raise MailError(smtp_replies.BAD_SEQUENCE.saying("Say MAIL first"))
        if not self.transaction.recipients:
            raise MailError(smtp_replies.NO_RECIPIENTS.saying("Say RCPT first"))
        if self._chunked is None:
            intake = MessageIntake(self._new_message(binding), self.server)
            self._chunked = ChunkedMessage(
                intake, self.peer.address, self._end_overdue_message
            )
        return self._chunked

    def _end_overdue_message(self) -> None:
        self.push(str(smtp_replies.BROKEN_OFF))
        self.hang_up()

    def end_transaction(self) -> None:
        """Forgets the envelope, and what BDAT has brought of its message."""
        if self._chunked is not None:
            self._chunked.abandon()
            self._chunked = None
        self._refused_chunk = self._dropped = None
        super().end_transaction()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: releases the place, and a message that is not complete."""
        super().connection_lost(exc)
        self.end_transaction()

    def _new_message(self, binding: Binding) -> ReceivedMessage:
        return ReceivedMessage(
            policy=self.server.policy,
            binding=binding,
            peer=self.peer,
            helo=self.helo,
            server_name=self.server.server_name,
            transaction=self.transaction,
            spool=Spool(),
            scanner=self.server.scanner,
            scan=self.server.scanner.open(),
        )

    async def smtp_QUIT(self, arg: str | None) -> None:
        """Says goodbye and ends the session."""
        if arg:
            self.send_reply(smtp_replies.BAD_SYNTAX.saying("QUIT takes no parameter"))
            return
        self.push("221 2.0.0 Bye")
        self.is_over = True

    async def smtp_RSET(self, arg: str | None) -> None:
        """Ends the mail transaction."""
        self.end_transaction()
        self.send_reply(smtp_replies.OK)

    async def smtp_NOOP(self, arg: str | None) -> None:
        """Answers 250 and does nothing."""
        self.send_reply(smtp_replies.OK)

    async def smtp_VRFY(self, arg: str | None) -> None:
        """Answers without saying who is a member (RFC 5321 §3.5.3 and §7.3)."""
        self.send_reply(Reply(252, "2.5.0", "Send a message and see"))

    async def smtp_HELP(self, arg: str | None) -> None:
        """Refers to the guides."""
        self.send_reply(Reply(214, "2.0.0", "See the guides of this service"))

    async def smtp_EXPN(self, arg: str | None) -> None:
        """Refuses: the members of a list are not disclosed (RFC 5321 §7.3)."""
        self.send_reply(smtp_replies.NOT_IMPLEMENTED)


def _path(keyword: str, arg: str) -> tuple[Any, Parameters]:
    """Returns address and parameters behind FROM: or TO: (RFC 5321 §4.1.1.2, §4.1.1.3)."""
    if arg[: len(keyword)].upper() != keyword:
        raise SyntaxErrorInCommand(f"Expected {keyword}<address>")
    # RFC 5321 §4.5.1: <postmaster> needs no domain.
    return parse_path(
        arg[len(keyword) :].strip(), postmaster_at=settings.POSTERN.community_domain
    )
