"""The SMTP command loop: aiosmtpd's, with every command answered our way."""

from __future__ import annotations

import asyncio
import base64
import collections
import logging
from typing import Any

from aiosmtpd.smtp import SMTP

from engine.mail import reply
from engine.mail.address import InvalidAddressError
from engine.mail.errors import MailError
from engine.mail.path import SyntaxErrorInCommand, parse_path
from engine.mail.reply import Reply
from engine.registry.routes import Routes
from engine.smtp import sasl
from engine.smtp.acceptance import Arrival
from engine.smtp.binding import Binding, Peer, peer_of
from engine.smtp.listener import Listener
from engine.smtp.reading import read_message
from engine.smtp.spool import Spool
from engine.smtp.transaction import Parameters, Transaction

log = logging.getLogger(__name__)

# RFC 4954 §4: an AUTH line, and each response, may be this long.
LINE_LIMIT = 12_288 + 2
COMMAND_LIMIT = 2_048
# A server may well have a list with old addresses: this many refusals, not fewer.
ERROR_LIMIT = 100


class Session(SMTP):
    """One connection. Refuses everything before TLS, and whoever is not bound."""

    line_length_limit = LINE_LIMIT

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            handler=None,
            data_size_limit=listener.size_limit,
            enable_SMTPUTF8=True,
            hostname=listener.server_name,
            ident="ESMTP Postern",
            tls_context=listener.tls_context,
            loop=asyncio.get_running_loop(),
        )
        # The base class shares one dictionary between all its sessions.
        self.command_size_limits = collections.defaultdict(
            lambda: COMMAND_LIMIT, AUTH=LINE_LIMIT
        )
        self.command_size_limit = COMMAND_LIMIT
        self.listener = listener
        self.binding: Binding | None = None
        self.helo = ""
        self._errors = 0

    # The connection

    def connection_made(self, transport: Any) -> None:
        if not self.listener.admit(self, transport):
            transport.write(f"{reply.TOO_MANY_CONNECTIONS}\r\n".encode())
            transport.close()
        self.binding = None
        self.helo = ""
        super().connection_made(transport)
        if self.session is not None:
            # Without this the base class holds every line to the length of HELO's,
            # and does not know of TLS from the first byte on.
            self.session.extended_smtp = True
            self.session.ssl = transport.get_extra_info("ssl_object")

    def connection_lost(self, error: Exception | None) -> None:
        self.listener.release(self)
        super().connection_lost(error)

    def _set_post_data_state(self) -> None:
        """Called by the base class wherever a transaction ends."""
        self.transaction = Transaction()

    @property
    def peer(self) -> Peer:
        """What the transport tells of the peer, at this moment."""
        return peer_of(self.transport)

    async def say(self, answer: Reply) -> None:
        """Answer, and end the session of a peer that keeps getting things wrong."""
        await self.push(str(answer))
        if answer.code >= 500:
            self._errors += 1
            if self._errors >= ERROR_LIMIT and self.transport is not None:
                await self.push(str(reply.TOO_MANY_ERRORS))
                self.transport.close()

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong here is our fault, and never final for the peer."""
        if isinstance(error, MailError):
            return str(error.reply)
        log.error("a session failed", exc_info=error)
        return str(reply.TRY_LATER)

    # The wire, for what reads more than commands

    async def challenge(self, text: bytes) -> bytes:
        """Send a SASL challenge and return the peer's line, still in base64."""
        await self.push(b"334 " + base64.b64encode(text))
        line: bytes = await self._reader.readline()
        return line

    async def read_chunk(self, size: int) -> bytes:
        """Some bytes, as they come. Raises ConnectionResetError at the end."""
        self._reset_timeout()
        chunk: bytes = await self._reader.read(size)
        if not chunk:
            raise ConnectionResetError("the peer hung up in the middle of a message")
        return chunk

    def push_back(self, rest: bytes) -> None:
        """Give back commands that came behind a message (RFC 2920)."""
        buffer: bytearray = self._reader._buffer  # type: ignore[attr-defined]
        buffer[:0] = rest

    # Commands

    async def smtp_EHLO(self, hostname: str | None) -> None:
        if not hostname:
            await self.say(reply.BAD_SYNTAX.saying("EHLO needs your host name"))
            return
        self._set_post_data_state()
        self.helo = hostname
        lines = [self.hostname, *self._extensions()]
        last = len(lines) - 1
        text = "\r\n".join(
            f"250{' ' if number == last else '-'}{line}"
            for number, line in enumerate(lines)
        )
        await self.push(text)

    def _extensions(self) -> list[str]:
        offered = [
            f"SIZE {self.listener.size_limit}",
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "DSN",
        ]
        if self.peer.is_secure:
            return [*offered, "AUTH PLAIN LOGIN"]
        return [*offered, "STARTTLS"]

    async def smtp_HELO(self, hostname: str | None) -> None:
        """Inside TLS only: whoever says HELO cannot ask for STARTTLS."""
        if not self.peer.is_secure:
            text = "Say EHLO: TLS is required here"
            await self.say(reply.NOT_IMPLEMENTED.saying(text))
        elif not hostname:
            await self.say(reply.BAD_SYNTAX.saying("HELO needs your host name"))
        else:
            self._set_post_data_state()
            self.helo = hostname
            await self.push(f"250 {self.hostname}")

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        if self.peer.is_secure:
            await self.say(reply.BAD_SEQUENCE.saying("TLS is already in use"))
        elif arg:
            await self.say(reply.BAD_SYNTAX.saying("STARTTLS takes no parameter"))
        else:
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str | None) -> None:
        if not self.peer.is_secure:
            await self.say(reply.NOT_TLS)
        elif self.binding is not None and self.binding.is_signed_in:
            await self.say(reply.BAD_SEQUENCE.saying("You are signed in already"))
        else:
            await self._sign_in(arg or "")

    async def _sign_in(self, arg: str) -> None:
        try:
            username, secret = await sasl.ask(self, arg)
            self.binding = await self.listener.authenticate(username, secret, self.peer)
        except MailError as error:
            await self.say(error.reply)
        else:
            await self.say(reply.AUTH_OK)

    async def smtp_MAIL(self, arg: str | None) -> None:
        try:
            await self.say(self._mail(arg or ""))
        except InvalidAddressError as error:
            await self.say(reply.BAD_SENDER.saying(str(error)))
        except MailError as error:
            await self.say(error.reply)

    def _mail(self, arg: str) -> Reply:
        routes = self.listener.routes()
        binding = self._check_bound(routes)
        if self.transaction.has_sender:
            return reply.BAD_SEQUENCE.saying("MAIL was said already")
        address, parameters = _path("FROM:", arg)
        sender = self.listener.door.check_sender(routes, binding, address)
        self.transaction.begin(sender, parameters, size_limit=self.listener.size_limit)
        return reply.SENDER_OK

    async def smtp_RCPT(self, arg: str | None) -> None:
        try:
            await self.say(self._rcpt(arg or ""))
        except InvalidAddressError as error:
            await self.say(reply.BAD_RECIPIENT.saying(str(error)))
        except MailError as error:
            await self.say(error.reply)

    def _rcpt(self, arg: str) -> Reply:
        routes = self.listener.routes()
        self._check_bound(routes)
        if not self.transaction.has_sender:
            return reply.BAD_SEQUENCE.saying("Say MAIL first")
        address, parameters = _path("TO:", arg)
        if address is None:
            raise SyntaxErrorInCommand("RCPT needs an address")
        route = self.listener.door.check_recipient(
            routes, self.transaction.sender, address
        )
        self.transaction.add(route, parameters)
        return reply.RECIPIENT_OK

    async def smtp_DATA(self, arg: str | None) -> None:
        try:
            binding = self._check_bound(self.listener.routes())
        except MailError as error:
            await self.say(error.reply)
            return
        if not self.transaction.recipients:
            await self.say(reply.NO_RECIPIENTS.saying("Say RCPT first"))
            return
        await self.say(await read_message(self, self._arrival(binding), self.listener))
        self._set_post_data_state()

    def _arrival(self, binding: Binding) -> Arrival:
        return Arrival(
            door=self.listener.door,
            binding=binding,
            peer=self.peer,
            helo=self.helo,
            server_name=self.listener.server_name,
            transaction=self.transaction,
            spool=Spool(),
            scan=self.listener.scanner.open(),
        )

    async def smtp_RSET(self, arg: str | None) -> None:
        self._set_post_data_state()
        await self.say(reply.OK)

    async def smtp_NOOP(self, arg: str | None) -> None:
        await self.say(reply.OK)

    async def smtp_VRFY(self, arg: str | None) -> None:
        """Never tells who is a member (RFC 5321 §3.5.3)."""
        await self.say(Reply(252, "2.5.0", "Send a message and see"))

    async def smtp_HELP(self, arg: str | None) -> None:
        await self.say(Reply(214, "2.0.0", "See the guides of this service"))

    async def smtp_EXPN(self, arg: str | None) -> None:
        await self.say(reply.NOT_IMPLEMENTED)

    def _check_bound(self, routes: Routes) -> Binding:
        """Raises MailError before TLS, before EHLO, and for whoever is not known."""
        peer = self.peer
        if not peer.is_secure:
            raise MailError(reply.NOT_TLS)
        if not self.helo:
            raise MailError(reply.BAD_SEQUENCE.saying("Say EHLO first"))
        if self.binding is None:
            self.binding = self.listener.door.bind(routes, peer)
        if self.binding is None:
            raise MailError(reply.AUTH_REQUIRED)
        return self.binding


def _path(keyword: str, arg: str) -> tuple[Any, Parameters]:
    """What follows FROM: or TO: (RFC 5321 §4.1.1.2, §4.1.1.3)."""
    if arg[: len(keyword)].upper() != keyword:
        raise SyntaxErrorInCommand(f"Expected {keyword}<address>")
    return parse_path(arg[len(keyword) :].strip())
