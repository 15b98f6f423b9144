"""A POP3 session: capabilities, TLS and sign-in (RFC 1939, 2449, 2595, 5034, 6856)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from engine.pop3 import maildrop, replies, sasl
from engine.pop3.command_parser import Command
from engine.pop3.connection import Connection
from engine.pop3.maildrop import Access
from engine.pop3.replies import Refused, line
from engine.pop3.server_context import ServerContext
from engine.pop3.transaction_state import TransactionState
from engine.registry.credentials import authentication, scram_offer
from engine.registry.credentials.scram_exchange import MECHANISM, ScramExchange
from engine.routing import routes
from engine.routing.routes import Routes

# RFC 2449 §6; RFC 6856 §2 (UTF8) and §3 (LANG); RFC 3206 §6 for AUTH-RESP-CODE
CAPABILITIES = (
    "TOP",
    "UIDL",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "PIPELINING",
    "EXPIRE NEVER",
    "UTF8 USER",
    "LANG",
    "IMPLEMENTATION Postern",
)

# Seconds. An app password may expire without any change to the registry, so that even an
# unchanged snapshot does not prove that a sign-in is still valid.
RECHECK_SECONDS = 60.0

# RFC 6856 §3: the languages of replies, each with its own name.
LANGUAGES = {"en": "English"}

Handler = Callable[[Command], Awaitable[None]]


class Session:
    """The AUTHORIZATION state, and the way into and out of the TRANSACTION state.

    Commands of the TRANSACTION state are passed on to it. `has_ended` is set when the
    connection must be closed.
    """

    def __init__(self, server: ServerContext, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._username = ""
        self._failures = 0
        # The loop's time until which commands wait, because passwords were wrong.
        self._held_until = 0.0
        self._transaction: TransactionState | None = None
        self._access: Access | None = None
        # The snapshot under which the sign-in was last found valid, and the time then.
        self._checked_as_of: Routes | None = None
        self._checked_at = 0.0
        self.has_ended = False
        self._handlers: dict[str, Handler] = {
            "AUTH": self._auth,
            "CAPA": self._capa,
            "LANG": self._lang,
            "PASS": self._pass,
            "QUIT": self._quit,
            "STLS": self._stls,
            "USER": self._user,
            "UTF8": self._utf8,
        }

    async def answer(self, command: Command) -> None:
        """Answers a command.

        After wrong passwords each command but QUIT waits. Raises Refused for a -ERR reply,
        and MailError after too many sign-in attempts.
        """
        left = self._held_until - asyncio.get_running_loop().time()
        if command.name != "QUIT" and left > 0:
            await self._connection.pause(left)
        await self._check_sign_in()
        if handler := self._handlers.get(command.name):
            await handler(command)
        elif self._transaction:
            await self._transaction.answer(command)
        elif command.name in TransactionState.HANDLERS:
            raise Refused(replies.NOT_NOW)
        else:
            raise Refused(replies.UNKNOWN)

    async def end(self) -> None:
        """Releases the maildrop without deleting anything; may be called twice."""
        if self._transaction:
            transaction, self._transaction = self._transaction, None
            await transaction.close()

    async def _check_sign_in(self) -> None:
        """Ends the session, with nothing deleted, once its sign-in is no longer valid.

        Before every command, QUIT included: QUIT would delete what was marked with DELE.
        Reads the database only when the snapshot has changed, or after a minute.
        """
        if self._access is None:
            return
        snapshot, now = routes.last_loaded(), asyncio.get_running_loop().time()
        if snapshot is self._checked_as_of and now - self._checked_at < RECHECK_SECONDS:
            return
        if not await self._server.threads.run(maildrop.is_access_valid, self._access):
            self.has_ended = True
            raise Refused(replies.SIGNED_OUT)
        self._checked_as_of, self._checked_at = snapshot, now

    async def _capa(self, command: Command) -> None:
        offered = [*CAPABILITIES]
        if self._connection.is_encrypted:
            offered += ["USER", f"SASL {' '.join(_mechanisms())}"]
        else:
            offered.append("STLS")
        listing = b"".join(map(line, offered))
        await self._connection.write(line("+OK") + listing + replies.END)

    async def _stls(self, command: Command) -> None:
        if self._connection.is_encrypted or self._transaction:
            raise Refused(replies.NOT_NOW)
        # A name that came in clear, perhaps injected, does not count inside TLS.
        self._username = ""
        await self._connection.start_tls(
            self._server.tls_context, line("+OK Begin TLS")
        )

    async def _user(self, command: Command) -> None:
        self._check_can_sign_in()
        if not command.rest:
            raise Refused(replies.BAD_SYNTAX)
        # RFC 1939 §7 allows the same reply to every name; nothing is disclosed by it.
        self._username = command.rest
        await self._connection.write(line("+OK"))

    async def _pass(self, command: Command) -> None:
        self._check_can_sign_in()
        if not self._username:
            raise Refused(replies.NOT_NOW)
        username, self._username = self._username, ""
        await self._sign_in(username, command.rest)

    async def _auth(self, command: Command) -> None:
        if not command.rest:
            # The list of mechanisms that older clients ask for.
            offered = _mechanisms() if self._connection.is_encrypted else ()
            listing = b"".join(map(line, offered))
            await self._connection.write(line("+OK") + listing + replies.END)
            return
        self._check_can_sign_in()
        mechanism, _, initial = command.rest.partition(" ")
        if mechanism.upper() not in _mechanisms():
            raise Refused(replies.NO_MECHANISM)
        response = initial or await sasl.challenge(self._connection, b"")
        if mechanism.upper() == "PLAIN":
            await self._sign_in(*sasl.read_plain(response))
        else:
            exchange = await sasl.scram(self._connection, response)
            await self._open(exchange.username, partial(self._prove, exchange))

    def _check_can_sign_in(self) -> None:
        if self._transaction:
            raise Refused(replies.NOT_NOW)
        if not self._connection.is_encrypted:
            raise Refused(replies.NO_TLS)

    async def _lang(self, command: Command) -> None:
        words = command.rest.split()
        if not words:
            listing = b"".join(line(" ".join(one)) for one in LANGUAGES.items())
            await self._connection.write(line("+OK") + listing + replies.END)
            return
        # "*" asks for the language that the server prefers.
        tag = "en" if words[0] == "*" else words[0].casefold()
        if len(words) > 1 or tag not in LANGUAGES:
            raise Refused(replies.NO_LANGUAGE)
        await self._connection.write(line(f"+OK {tag} Replies are in English"))

    async def _utf8(self, command: Command) -> None:
        # RFC 6856 §2: in the AUTHORIZATION state only.
        if self._transaction:
            raise Refused(replies.NOT_NOW)
        if command.rest:
            raise Refused(replies.BAD_SYNTAX)
        # Nothing changes: messages are sent octet for octet, in this mode and without.
        await self._connection.write(line("+OK Messages may hold UTF-8"))

    async def _sign_in(self, username: str, secret: str) -> None:
        await self._open(username, partial(self._check, username, secret))

    async def _check(self, username: str, secret: str) -> Access:
        return await self._server.threads.run(
            maildrop.find_mailbox, username, secret, peer=self._connection.peer
        )

    async def _prove(self, exchange: ScramExchange) -> Access:
        access, signature = await self._server.threads.run(
            maildrop.find_mailbox_by_proof, exchange, peer=self._connection.peer
        )
        # The client, which has checked it, answers with an empty line.
        if await sasl.challenge(self._connection, signature):
            raise Refused(replies.BAD_SASL)
        return access

    async def _open(
        self, username: str, check: Callable[[], Awaitable[Access]]
    ) -> None:
        """Opens the maildrop that the sign-in is for, if the credentials are right."""
        loop, peer = asyncio.get_running_loop(), self._connection.peer
        # Of other sessions; while it waits, no thread does.
        await self._connection.pause(authentication.person_delay(username, peer=peer))
        # Noted before the database is read, so that a change in between is noticed.
        self._checked_as_of = routes.last_loaded()
        self._checked_at = loop.time()
        try:
            access = await check()
        except Refused:
            self._failures += 1
            delay = authentication.person_delay(username, peer=peer)
            self._held_until = loop.time() + delay
            self.has_ended = self._failures >= self._server.limits.failures
            raise
        self._transaction = TransactionState.begin(
            self._server, self._connection, access
        )
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
            # Before the reply, after which the client may begin its next session.
            await self.end()
        await self._connection.write(line("+OK Bye"))


def _mechanisms() -> tuple[str, ...]:
    """Returns the SASL mechanisms that are offered now, the strongest first."""
    return (MECHANISM, "PLAIN") if scram_offer.is_offered() else ("PLAIN",)
