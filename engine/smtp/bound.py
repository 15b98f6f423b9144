"""A session that knows whose it is, and what is said when that allows or forbids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from engine import journal
from engine.mail import smtp_replies
from engine.mail.address import InvalidAddressError
from engine.mail.errors import MailError
from engine.mail.smtp_replies import Reply
from engine.routing.routes import Routes
from engine.smtp.connection import Wire
from engine.smtp.refusal_trace import Claim, Refused, address_in
from engine.smtp.server_context import Listener
from engine.smtp.session_binding import Binding

# An app password may expire without any change to the registry: looked at so often.
RECHECK_SECONDS = 60.0

Method = Callable[[Any], Awaitable[None]]


class Bound(Wire):
    """The wire, with a binding that is looked at again when the registry changes."""

    # As of which routes the binding holds, and when that was looked at.
    bound_by: Routes | None = None
    checked_at = 0.0

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        # Every command, not only those of a transaction: a client that was signed out
        # must not keep a session alive with NOOP until they are let in again.
        self._smtp_methods = {
            name: method if name == "QUIT" else partial(self._carry_on, name, method)
            for name, method in self._smtp_methods.items()
        }

    async def _carry_on(self, command: str, method: Method, arg: Any) -> None:
        """Carry out a command, unless what the session signed in with has ended."""
        if await self.sign_in_holds():
            await method(arg)
        else:
            await self.answer(command, smtp_replies.SIGN_IN_ENDED)

    async def sign_in_holds(self) -> bool:
        """False once the credential was revoked or the sessions of its owner ended.

        Asks the database only when the registry has changed, or after a minute.
        """
        binding, now = self.binding, self.loop.time()
        if binding is None or not binding.is_signed_in:
            return True
        routes = self.listener.routes()
        if routes is self.bound_by and now - self.checked_at < RECHECK_SECONDS:
            return True
        if not await self.listener.still_holds(binding):
            return False
        self.bound_by, self.checked_at = routes, now
        return True

    async def check_bound(self, routes: Routes) -> Binding:
        """Raises MailError before TLS, before EHLO, and for a client that may not send."""
        if not self.peer.is_secure:
            raise MailError(smtp_replies.NOT_TLS)
        if not self.helo:
            raise MailError(smtp_replies.BAD_SEQUENCE.saying("Say EHLO first"))
        if routes is not self.bound_by:
            await self._bind(routes)
        if self.binding is None:
            raise MailError(smtp_replies.AUTH_REQUIRED)
        self.listener.door.check_binding(routes, self.binding)
        return self.binding

    async def _bind(self, routes: Routes) -> None:
        """Bind again whenever the registry changes: what proved a session may be gone."""
        before = self.binding
        if before is not None and before.is_signed_in:
            if not await self.sign_in_holds():
                raise MailError(smtp_replies.SIGN_IN_ENDED)
            return
        self.binding = self.listener.door.bind(routes, self.peer)
        self.bound_by = routes
        self._settle()
        if before is not None and self.binding != before:
            self._set_post_data_state()

    async def attempt(
        self,
        command: str,
        carry_out: Callable[[str], Awaitable[Reply]],
        bad_address: Reply,
        arg: str,
    ) -> None:
        """Carry out a command and answer it, whatever it comes to."""
        try:
            answer = await carry_out(arg)
        except InvalidAddressError as error:
            answer = bad_address.saying(str(error))
        except MailError as error:
            answer = error.reply
        await self.answer(command, answer, arg)

    async def answer(self, command: str, answer: Reply, said: str = "") -> None:
        """Answer a command; what a member is refused leaves a line and a trace."""
        if self.binding is not None and answer.code >= 400:
            self._note(command, answer, said, self.binding)
        elif command == "MAIL" and answer in (
            smtp_replies.NOT_TLS,
            smtp_replies.AUTH_REQUIRED,
        ):
            self._note_claim(command, answer, address_in(said))
        await self.say(answer)

    def _note_claim(self, command: str, answer: Reply, sender: str) -> None:
        """An administrator who is still connecting sees in the trace what is missing."""
        owner = self.listener.owner_of(sender)
        if owner is not None:
            peer = str(self.peer.address)
            claim = Claim(owner, command, answer, sender, peer)
            self.listener.refusals.note_claim(claim, self.transaction.reference)

    def _note(self, command: str, answer: Reply, said: str, binding: Binding) -> None:
        source = self.listener.door.source
        refused = Refused(command, said, answer, source, binding, self.peer)
        journal.refused(
            reference=self.transaction.reference,
            source=str(source),
            sender=refused.sender(self.transaction),
            recipients=refused.recipients(self.transaction),
            reply=answer,
            command=command,
            organisation_id=binding.organisation_id,
            peer=str(self.peer.address),
        )
        self.listener.refusals.note(refused, self.transaction)
