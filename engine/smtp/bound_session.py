"""Binds a session to a connection or a person, by proof or by AUTH (RFC 4954)."""

from __future__ import annotations

import asyncio

from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.registry.credentials.scram_exchange import ScramExchange
from engine.routing.routes import Routes
from engine.smtp import sasl
from engine.smtp.command_stream import Method
from engine.smtp.connection import SmtpConnection
from engine.smtp.session_binding import Binding

# Seconds. An app password may expire without any change to the registry, so that even an
# unchanged snapshot does not prove that a sign-in is still valid.
RECHECK_SECONDS = 60.0


class BoundSession(SmtpConnection):
    """A session that knows who its client is.

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
            given = await sasl.exchange(self, arg, self.server.policy.mechanisms())
            username = given.username
            binding = await self._binding_of(given)
        except MailError as error:
            # The user name of a connection's credential begins with its domain.
            self._record_claim("AUTH", error.reply, f"@{username.rpartition('-')[0]}")
            delay = self.server.policy.sign_in_delay(username, self.peer)
            self.held_until = self.loop.time() + delay
            self.send_reply(error.reply)
        else:
            self.binding = binding
            self.bound_as_of, self.checked_at = routes, self.loop.time()
            self._update_place()
            self.send_reply(smtp_replies.AUTH_OK)

    async def _binding_of(self, given: sasl.Password | ScramExchange) -> Binding:
        """Returns what the credentials bind to. Raises MailError."""
        if isinstance(given, sasl.Password):
            return await self.server.authenticate(
                given.username, given.secret, self.peer
            )
        binding, signature = await self.server.authenticate_by_proof(given, self.peer)
        await sasl.finish(self, signature)
        return binding
