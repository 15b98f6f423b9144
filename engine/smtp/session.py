"""Answers the commands of an SMTP session (RFC 5321 §4.1, RFC 3207, RFC 4954)."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_path import SyntaxErrorInCommand, parse_path
from engine.mail.smtp_replies import Reply
from engine.queue.sending_rates import rate_limits
from engine.routing.routes import Routes
from engine.smtp import sasl
from engine.smtp.command_stream import Method
from engine.smtp.connection import SmtpConnection
from engine.smtp.data_reader import read_message
from engine.smtp.mail_transaction import Parameters
from engine.smtp.message_acceptance import ReceivedMessage
from engine.smtp.session_binding import Binding
from engine.smtp.spool import Spool

# Seconds. An app password may expire without any change to the registry, so that even an
# unchanged snapshot does not prove that a sign-in is still valid.
RECHECK_SECONDS = 60.0


class Session(SmtpConnection):
    """One session: nothing before TLS, and no mail from a client that is not bound.

    The binding is checked again whenever the routing snapshot changes, so that a
    suspension or a revoked credential takes effect in the middle of a session.
    """

    # The snapshot under which the binding was last found valid, and the loop's time then.
    bound_as_of: Routes | None = None
    checked_at = 0.0
    # The loop's time until which commands wait, because passwords were wrong.
    held_until = 0.0

    async def run(self, command: str, method: Method, argument: str | None) -> None:
        """Runs a command, unless the sign-in of the session has ended.

        Every command, not only those of a mail transaction: a client that was signed out
        must not keep its session alive with NOOP until it is let in again. After wrong
        passwords each command but QUIT waits.
        """
        if command != "QUIT" and self.loop.time() < self.held_until:
            self.send_replies()
            await asyncio.sleep(self.held_until - self.loop.time())
        if command == "QUIT" or await self.is_sign_in_valid():
            await method(argument)
        else:
            self.answer(command, smtp_replies.SIGN_IN_ENDED)

    async def is_sign_in_valid(self) -> bool:
        """Returns False once the credential was revoked or its owner was signed out.

        Reads the database only when the snapshot has changed, or after a minute.
        """
        binding, now = self.binding, self.loop.time()
        if binding is None or not binding.is_signed_in:
            return True
        routes = self.server.routes()
        if routes is self.bound_as_of and now - self.checked_at < RECHECK_SECONDS:
            return True
        if not await self.server.is_sign_in_valid(binding):
            return False
        self.bound_as_of, self.checked_at = routes, now
        return True

    async def require_binding(self, routes: Routes) -> Binding:
        """Returns what the session is bound to.

        Raises MailError before TLS, before EHLO, and for a client that may not send.
        """
        if not self.peer.is_secure:
            raise MailError(smtp_replies.NOT_TLS)
        if not self.helo:
            raise MailError(smtp_replies.BAD_SEQUENCE.saying("Say EHLO first"))
        if routes is not self.bound_as_of:
            await self._rebind(routes)
        if self.binding is None:
            raise MailError(smtp_replies.AUTH_REQUIRED)
        self.server.policy.check_binding(routes, self.binding)
        return self.binding

    async def _rebind(self, routes: Routes) -> None:
        """Binds again under a new snapshot: the proof may not be valid any more."""
        before = self.binding
        if before is not None and before.is_signed_in:
            if not await self.is_sign_in_valid():
                raise MailError(smtp_replies.SIGN_IN_ENDED)
            return
        self.binding = self.server.policy.bind(routes, self.peer)
        self.bound_as_of = routes
        self._update_place()
        if before is not None and self.binding != before:
            # The sender was checked against the binding that is gone.
            self.end_transaction()

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
        ]
        if self.peer.is_secure:
            return [*offered, "AUTH PLAIN LOGIN"]
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

    async def smtp_AUTH(self, arg: str | None) -> None:
        """Signs in by SASL (RFC 4954), once and only inside TLS."""
        if not self.peer.is_secure:
            self.send_reply(smtp_replies.NOT_TLS)
        elif self.binding is not None and self.binding.is_signed_in:
            text = "You are signed in already"
            self.send_reply(smtp_replies.BAD_SEQUENCE.saying(text))
        elif self.transaction.has_sender:
            # RFC 4954 §4. The sender was checked against another binding.
            text = "Say AUTH before MAIL"
            self.send_reply(smtp_replies.BAD_SEQUENCE.saying(text))
        else:
            await self._sign_in(arg or "")

    async def _sign_in(self, arg: str) -> None:
        # Read before the credential is checked: a change in between has another look.
        routes = self.server.routes()
        username = ""
        try:
            username, secret = await sasl.exchange(self, arg)
            self.binding = await self.server.authenticate(username, secret, self.peer)
        except MailError as error:
            # The user name of a connection's credential begins with its domain.
            self._record_claim("AUTH", error.reply, f"@{username.rpartition('-')[0]}")
            delay = self.server.policy.sign_in_delay(username, self.peer)
            self.held_until = self.loop.time() + delay
            self.send_reply(error.reply)
        else:
            self.bound_as_of, self.checked_at = routes, self.loop.time()
            self._update_place()
            self.send_reply(smtp_replies.AUTH_OK)

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
        await self.run_command("DATA", self._data, smtp_replies.BAD_SYNTAX, "")
        if self.transaction.recipients:
            self.end_transaction()

    async def _data(self, arg: str) -> Reply:
        binding = await self.require_binding(self.server.routes())
        if not self.transaction.recipients:
            return smtp_replies.NO_RECIPIENTS.saying("Say RCPT first")
        return await read_message(self, self._new_message(binding), self.server)

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
