"""The SMTP commands, each answered our way."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from engine.mail import reply
from engine.mail.address import InvalidAddressError
from engine.mail.errors import MailError
from engine.mail.path import SyntaxErrorInCommand, parse_path
from engine.mail.reply import Reply
from engine.registry.routes import Routes
from engine.smtp import sasl
from engine.smtp.acceptance import Arrival
from engine.smtp.binding import Binding
from engine.smtp.reading import read_message
from engine.smtp.spool import Spool
from engine.smtp.transaction import Parameters
from engine.smtp.wire import Wire


class Session(Wire):
    """One connection. Refuses everything before TLS, and whoever is not bound."""

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
            await self.push("220 2.0.0 Ready to start TLS")
            await self.start_tls()

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
        if not self.peer.is_secure:
            raise MailError(reply.NOT_TLS)
        if not self.helo:
            raise MailError(reply.BAD_SEQUENCE.saying("Say EHLO first"))
        if self.binding is None:
            self.binding = self.listener.door.bind(routes, self.peer)
        if self.binding is None:
            raise MailError(reply.AUTH_REQUIRED)
        return self.binding


def _path(keyword: str, arg: str) -> tuple[Any, Parameters]:
    """What follows FROM: or TO: (RFC 5321 §4.1.1.2, §4.1.1.3)."""
    if arg[: len(keyword)].upper() != keyword:
        raise SyntaxErrorInCommand(f"Expected {keyword}<address>")
    # RFC 5321 §4.5.1: <postmaster> needs no domain.
    return parse_path(
        arg[len(keyword) :].strip(), postmaster_at=settings.POSTERN.community_domain
    )
