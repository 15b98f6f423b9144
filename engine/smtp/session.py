"""The SMTP commands, each answered our way."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_path import SyntaxErrorInCommand, parse_path
from engine.mail.smtp_replies import Reply
from engine.queue.sending_rates import rate_limits
from engine.smtp import sasl
from engine.smtp.bound import Bound
from engine.smtp.data_reader import read_message
from engine.smtp.mail_transaction import Parameters
from engine.smtp.message_acceptance import Arrival
from engine.smtp.session_binding import Binding
from engine.smtp.spool import Spool


class Session(Bound):
    """One connection. Refuses everything before TLS, and whoever is not bound."""

    async def smtp_EHLO(self, hostname: str | None) -> None:
        if not hostname:
            await self.say(smtp_replies.BAD_SYNTAX.saying("EHLO needs your host name"))
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
            await self.say(smtp_replies.NOT_IMPLEMENTED.saying(text))
        elif not hostname:
            await self.say(smtp_replies.BAD_SYNTAX.saying("HELO needs your host name"))
        else:
            self._set_post_data_state()
            self.helo = hostname
            await self.push(f"250 {self.hostname}")

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        if self.peer.is_secure:
            await self.say(smtp_replies.BAD_SEQUENCE.saying("TLS is already in use"))
        elif arg:
            await self.say(
                smtp_replies.BAD_SYNTAX.saying("STARTTLS takes no parameter")
            )
        else:
            await self.push("220 2.0.0 Ready to start TLS")
            await self.start_tls()

    async def smtp_AUTH(self, arg: str | None) -> None:
        if not self.peer.is_secure:
            await self.say(smtp_replies.NOT_TLS)
        elif self.binding is not None and self.binding.is_signed_in:
            await self.say(
                smtp_replies.BAD_SEQUENCE.saying("You are signed in already")
            )
        elif self.transaction.has_sender:
            # RFC 4954 §4. Its sender was checked against another binding.
            await self.say(smtp_replies.BAD_SEQUENCE.saying("Say AUTH before MAIL"))
        else:
            await self._sign_in(arg or "")

    async def _sign_in(self, arg: str) -> None:
        known = self.listener.routes()
        username = ""
        try:
            username, secret = await sasl.ask(self, arg)
            self.binding = await self.listener.authenticate(username, secret, self.peer)
        except MailError as error:
            # The name of a connection's credential begins with its domain.
            self._note_claim("AUTH", error.reply, f"@{username.rpartition('-')[0]}")
            await self.say(error.reply)
        else:
            self.bound_by, self.checked_at = known, self.loop.time()
            self._settle()
            await self.say(smtp_replies.AUTH_OK)

    async def smtp_MAIL(self, arg: str | None) -> None:
        await self.attempt("MAIL", self._mail, smtp_replies.BAD_SENDER, arg or "")
        if not self.transaction.has_sender:
            self._set_post_data_state()  # what comes next is another message

    async def _mail(self, arg: str) -> Reply:
        routes = self.listener.routes()
        binding = await self.check_bound(routes)
        if self.transaction.has_sender:
            return smtp_replies.BAD_SEQUENCE.saying("MAIL was said already")
        address, parameters = _path("FROM:", arg)
        sender = self.listener.door.check_sender(routes, binding, address)
        rate_limits.check_sender(routes, binding.senders, messages=1)
        self.transaction.begin(sender, parameters, size_limit=self.listener.size_limit)
        return smtp_replies.SENDER_OK

    async def smtp_RCPT(self, arg: str | None) -> None:
        await self.attempt("RCPT", self._rcpt, smtp_replies.BAD_RECIPIENT, arg or "")

    async def _rcpt(self, arg: str) -> Reply:
        routes = self.listener.routes()
        binding = await self.check_bound(routes)
        if not self.transaction.has_sender:
            return smtp_replies.BAD_SEQUENCE.saying("Say MAIL first")
        address, parameters = _path("TO:", arg)
        if address is None:
            raise SyntaxErrorInCommand("RCPT needs an address")
        route = self.listener.door.check_recipient(
            routes, self.transaction.sender, address
        )
        count = len(self.transaction.recipients) + 1
        rate_limits.check_sender(routes, binding.senders, recipients=count)
        rate_limits.check_route(routes, route)
        self.transaction.add(route, parameters)
        return smtp_replies.RECIPIENT_OK

    async def smtp_DATA(self, arg: str | None) -> None:
        await self.attempt("DATA", self._data, smtp_replies.BAD_SYNTAX, "")
        if self.transaction.recipients:
            self._set_post_data_state()

    async def _data(self, arg: str) -> Reply:
        binding = await self.check_bound(self.listener.routes())
        if not self.transaction.recipients:
            return smtp_replies.NO_RECIPIENTS.saying("Say RCPT first")
        return await read_message(self, self._arrival(binding), self.listener)

    def _arrival(self, binding: Binding) -> Arrival:
        return Arrival(
            door=self.listener.door,
            binding=binding,
            peer=self.peer,
            helo=self.helo,
            server_name=self.listener.server_name,
            transaction=self.transaction,
            spool=Spool(),
            scanner=self.listener.scanner,
            scan=self.listener.scanner.open(),
        )

    async def smtp_RSET(self, arg: str | None) -> None:
        self._set_post_data_state()
        await self.say(smtp_replies.OK)

    async def smtp_NOOP(self, arg: str | None) -> None:
        await self.say(smtp_replies.OK)

    async def smtp_VRFY(self, arg: str | None) -> None:
        """Never tells who is a member (RFC 5321 §3.5.3)."""
        await self.say(Reply(252, "2.5.0", "Send a message and see"))

    async def smtp_HELP(self, arg: str | None) -> None:
        await self.say(Reply(214, "2.0.0", "See the guides of this service"))

    async def smtp_EXPN(self, arg: str | None) -> None:
        await self.say(smtp_replies.NOT_IMPLEMENTED)


def _path(keyword: str, arg: str) -> tuple[Any, Parameters]:
    """What follows FROM: or TO: (RFC 5321 §4.1.1.2, §4.1.1.3)."""
    if arg[: len(keyword)].upper() != keyword:
        raise SyntaxErrorInCommand(f"Expected {keyword}<address>")
    # RFC 5321 §4.5.1: <postmaster> needs no domain.
    return parse_path(
        arg[len(keyword) :].strip(), postmaster_at=settings.POSTERN.community_domain
    )
