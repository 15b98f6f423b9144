"""What a client may ask, and what is answered: RFC 1939, RFC 2449, RFC 2595, RFC 5034."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.pop3 import commands, maildrop
from engine.pop3.commands import Command, Refused, line
from engine.pop3.connection import Connection
from engine.pop3.maildrop import Access
from engine.pop3.server_context import Listener
from engine.pop3.transaction_state import Transaction
from engine.routing import routes
from engine.routing.routes import Routes

# RFC 2449 §6; RFC 3206 §6 for AUTH-RESP-CODE
CAPABILITIES = (
    "TOP",
    "UIDL",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "PIPELINING",
    "EXPIRE NEVER",
    "IMPLEMENTATION Postern",
)

# An app password may expire without any change to the registry: looked at so often.
RECHECK_SECONDS = 60.0

Verb = Callable[[Command], Awaitable[None]]


class Session:
    """The AUTHORIZATION state, and the way into and out of the TRANSACTION state."""

    def __init__(self, listener: Listener, connection: Connection) -> None:
        self._listener = listener
        self._connection = connection
        self._username = ""
        self._failures = 0
        self._transaction: Transaction | None = None
        self._access: Access | None = None
        self._checked_by: Routes | None = None
        self._checked_at = 0.0
        self.has_ended = False
        self._verbs: dict[str, Verb] = {
            "AUTH": self._auth,
            "CAPA": self._capa,
            "PASS": self._pass,
            "QUIT": self._quit,
            "STLS": self._stls,
            "USER": self._user,
        }

    async def answer(self, command: Command) -> None:
        """Raises Refused, or MailError from those asked."""
        await self._check_still_signed_in()
        if verb := self._verbs.get(command.name):
            await verb(command)
        elif self._transaction:
            await self._transaction.answer(command)
        elif command.name in Transaction.VERBS:
            raise Refused(commands.NOT_NOW)
        else:
            raise Refused(commands.UNKNOWN)

    async def end(self) -> None:
        """Let go of the maildrop. Nothing is deleted here. Harmless twice."""
        if self._transaction:
            transaction, self._transaction = self._transaction, None
            await transaction.close()

    async def _check_still_signed_in(self) -> None:
        """End the session, with nothing deleted, once its sign-in was ended elsewhere.

        Before every command, QUIT included: it would carry out what was marked with
        DELE. Asks the database only when the registry has changed, or after a minute.
        """
        if self._access is None:
            return
        known, now = routes.last_loaded(), asyncio.get_running_loop().time()
        if known is self._checked_by and now - self._checked_at < RECHECK_SECONDS:
            return
        if not await self._listener.threads.run(maildrop.is_still_open, self._access):
            self.has_ended = True
            raise Refused(commands.SIGNED_OUT)
        self._checked_by, self._checked_at = known, now

    async def _capa(self, command: Command) -> None:
        offered = [*CAPABILITIES]
        if self._connection.is_encrypted:
            offered += ["USER", "SASL PLAIN"]
        else:
            offered.append("STLS")
        listing = b"".join(map(line, offered))
        await self._connection.write(line("+OK") + listing + commands.END)

    async def _stls(self, command: Command) -> None:
        if self._connection.is_encrypted or self._transaction:
            raise Refused(commands.NOT_NOW)
        self._username = ""
        await self._connection.start_tls(
            self._listener.tls_context, line("+OK Begin TLS")
        )

    async def _user(self, command: Command) -> None:
        self._check_may_sign_in()
        if not command.rest:
            raise Refused(commands.BAD_SYNTAX)
        # RFC 1939 §7: the same answer whether or not anybody has that name.
        self._username = command.rest
        await self._connection.write(line("+OK"))

    async def _pass(self, command: Command) -> None:
        self._check_may_sign_in()
        if not self._username:
            raise Refused(commands.NOT_NOW)
        username, self._username = self._username, ""
        await self._sign_in(username, command.rest)

    async def _auth(self, command: Command) -> None:
        if not command.rest:
            # The listing of mechanisms that older clients ask for.
            mechanisms = "PLAIN\r\n" if self._connection.is_encrypted else ""
            await self._connection.write(f"+OK\r\n{mechanisms}.\r\n".encode())
            return
        self._check_may_sign_in()
        mechanism, _, response = command.rest.partition(" ")
        if mechanism.upper() != "PLAIN":
            raise Refused(commands.NO_MECHANISM)
        if not response:
            await self._connection.write(b"+ \r\n")
            response = (await self._connection.read_line()).decode("ascii", "replace")
        if response == "*":
            raise Refused(commands.CANCELLED)
        await self._sign_in(*commands.read_plain(response))

    def _check_may_sign_in(self) -> None:
        if self._transaction:
            raise Refused(commands.NOT_NOW)
        if not self._connection.is_encrypted:
            raise Refused(commands.NO_TLS)

    async def _sign_in(self, username: str, secret: str) -> None:
        # Before the database is asked: a change in between is looked at again.
        self._checked_by = routes.last_loaded()
        self._checked_at = asyncio.get_running_loop().time()
        try:
            access = await self._listener.threads.run(
                maildrop.find_mailbox, username, secret, peer=self._connection.peer
            )
        except Refused:
            self._failures += 1
            self.has_ended = self._failures >= self._listener.limits.failures
            raise
        self._transaction = Transaction.begin(self._listener, self._connection, access)
        try:
            count = await self._transaction.open()
        except Refused:
            await self.end()
            raise
        self._connection.keep_place()
        self._access = access
        await self._connection.write(line(f"+OK {count} messages"))

    async def _quit(self, command: Command) -> None:
        self.has_ended = True
        if self._transaction:
            await self._transaction.update()
            # Before the answer, after which the client may well begin a new session.
            await self.end()
        await self._connection.write(line("+OK Bye"))
