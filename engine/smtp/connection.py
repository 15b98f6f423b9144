"""Runs one SMTP connection below its commands: TLS, line limits, replies and refusals."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar, cast

from aiosmtpd.smtp import SMTP

from engine.mail import smtp_replies
from engine.mail.address import InvalidAddressError
from engine.mail.errors import MailError, PermanentFailure
from engine.mail.smtp_replies import Reply
from engine.network import tls_handshake
from engine.network.connection_limits import DropReason, Place
from engine.network.proxy_header import Endpoint
from engine.network.server_connections import hang_up
from engine.observability import message_log
from engine.smtp.command_stream import (
    LINE_LIMIT,
    CommandLimits,
    CommandStream,
    CommandTable,
    Method,
)
from engine.smtp.mail_transaction import MailTransaction
from engine.smtp.refusal_trace import RefusedCommand, UnprovenClaim, address_in
from engine.smtp.server_context import ServerContext
from engine.smtp.session_binding import Binding, Peer, peer_of

log = logging.getLogger(__name__)

# Refused commands before we hang up. Not fewer: a legitimate server may send to a list
# with many addresses that have left.
ERROR_LIMIT = 100
# Words that are no commands before we hang up.
UNKNOWN_LIMIT = 5


# `push` need not be awaited here, and `transport` is a Transport.
class SmtpConnection(CommandStream, SMTP):  # type: ignore[misc]
    """aiosmtpd's command loop (version 1.4.6) with our limits, TLS and error replies.

    It reads from and writes to a CommandStream instead of asyncio's streams. A subclass
    answers each command in a method `smtp_COMMAND`, which gets the argument, None without
    one.
    """

    _names: ClassVar[tuple[str, ...]]

    def __init__(self, server: ServerContext, client: Endpoint | None = None) -> None:
        SMTP.__init__(
            self,
            handler=None,
            data_size_limit=server.size_limit,
            enable_SMTPUTF8=True,
            hostname=server.server_name,
            ident="ESMTP Postern",
            tls_context=server.tls_context,
            loop=asyncio.get_running_loop(),
        )
        CommandStream.__init__(self)
        self._reader = cast(asyncio.StreamReader, self)
        self._writer = cast(asyncio.StreamWriter, self)
        # The base class shares one dictionary between all its sessions, and remembers
        # every word that any client sends.
        self.command_size_limits = CommandLimits(AUTH=LINE_LIMIT)
        self._smtp_methods = CommandTable(
            self._smtp_methods, self.run, self._refuse_unknown
        )
        self.server = server
        # The client behind a load balancer; else the transport's peer is the client.
        self._client = client
        self.peer: Peer
        self._errors = self._unknown = 0
        self._place: Place | None = None
        self._is_shaking_hands = False

    def __dir__(self) -> Iterable[str]:
        """Returns the commands alone, for the base class looks for them by dir().

        It does so for each new connection. With every attribute to look at that took
        1.8 ms, without 0.24 ms.
        """
        kind = type(self)
        if "_names" not in kind.__dict__:
            kind._names = tuple(n for n in dir(kind) if n.startswith("smtp_"))
        return kind._names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: takes a place, or refuses the client."""
        raw = cast(asyncio.Transport, transport)
        self._place = self.server.sessions.admit(raw, self._make_room, self._client)
        if self._place is None:
            raw.write(f"{smtp_replies.TOO_MANY_CONNECTIONS}\r\n".encode())
            hang_up(raw)
            return
        self.session = self._create_session()
        # Otherwise the base class would hold each line to the limit of HELO.
        self.session.extended_smtp = True
        self._reset_session(raw)
        super().connection_made(raw)

    def _make_room(self, why: DropReason) -> None:
        """Ends a session that signs in too slowly, or whose place others need."""
        if self.transport is None:
            return
        if self._is_shaking_hands:
            # A reply in clear would break into the handshake.
            self.transport.abort()
            return
        last = (
            smtp_replies.TOO_SLOW
            if why is DropReason.SLOW
            else smtp_replies.CROWDED_OUT
        )
        self.push(str(last))
        self.hang_up()

    def _update_place(self) -> None:
        """Reserves the session's place while it is bound."""
        if self.binding is None:
            self.server.sessions.unbind(self._place)
        else:
            self.server.sessions.bind(self._place)

    def _reset_session(self, transport: asyncio.Transport) -> None:
        """Forgets everything said so far: at the start, and after TLS (RFC 3207 §4.2)."""
        self.peer = peer_of(transport, self._client)
        self.binding: Binding | None = None
        self.helo = ""
        self.end_transaction()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: releases the place."""
        self.server.sessions.release(self._place)
        super().connection_lost(exc)

    def end_transaction(self) -> None:
        """Forgets the envelope: where a mail transaction ends or another may begin."""
        self.transaction = MailTransaction()

    async def serve_connection(self) -> None:
        """Serves the client until the connection ends.

        The base class raises a reset connection again into a task that nothing awaits:
        any stranger could fill the log with tracebacks.
        """
        with contextlib.suppress(ConnectionResetError):
            await self._handle_client()

    async def readuntil(self) -> bytes:
        """Returns the next command line, for the base class.

        Raises ConnectionResetError once the session is over.
        """
        while not self.is_over:
            try:
                return await self.read_command()
            except PermanentFailure as error:
                self.send_reply(error.reply)
        raise ConnectionResetError("the session is over")

    async def run(self, command: str, method: Method, argument: str | None) -> None:
        """Runs the method of a command."""
        await method(argument)

    async def _refuse_unknown(self, argument: str | None) -> None:
        self._unknown += 1
        self.send_reply(smtp_replies.UNKNOWN_COMMAND)
        if self._unknown >= UNKNOWN_LIMIT:
            self._give_up()

    def close(self) -> None:
        """Closes the connection, for the base class."""
        self.send_replies()
        if self.transport is not None:
            self.transport.close()

    async def handle_exception(self, error: Exception) -> str:
        """Returns the reply to an unexpected error: our fault, so never permanent."""
        if isinstance(error, MailError):
            return str(error.reply)
        log.error("an SMTP session failed", exc_info=error)
        return str(smtp_replies.TRY_LATER)

    def _set_post_data_state(self) -> None:
        """Called by the base class wherever a mail transaction ends."""
        self.end_transaction()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Called by the base class for each command that it knows."""
        self.mark_active()

    async def start_tls(self) -> None:
        """Upgrades the connection to TLS. Raises ConnectionResetError when that fails.

        Drops commands that the client sent ahead in clear: an attacker on the path could
        have injected them, and they must not count as said inside TLS (RFC 3207 §4.2).
        """
        before = self.transport
        if before is None:
            raise ConnectionResetError("the client hung up before the handshake")
        self.send_replies()
        # Before the handshake, not after it: the first octets inside TLS may arrive
        # together with the last ones of the handshake.
        self.forget_input()
        self._is_shaking_hands = True
        try:
            context = self.server.tls_context
            transport = await tls_handshake.start_tls(before, self, context)
            # Its place was never released then.
            if transport is None:
                raise ConnectionResetError("the client hung up during the handshake")
        except OSError as error:
            # asyncio does not call connection_lost() for a handshake that fails.
            self.server.sessions.release(self._place)
            if isinstance(error, ssl.SSLError):
                why = smtp_replies.TLS_FAILED.saying(tls_handshake.explanation(error))
                self.server.refusals.count_stranger(self.peer, why)
            raise ConnectionResetError("the TLS handshake failed") from error
        finally:
            self._is_shaking_hands = False
        self.replace_transport(transport)
        self._reset_session(transport)

    async def run_command(
        self,
        command: str,
        run: Callable[[str], Awaitable[Reply]],
        bad_address: Reply,
        argument: str,
    ) -> None:
        """Runs a command and answers it; errors become the reply.

        `bad_address` is the reply where the argument is not a valid address.
        """
        try:
            answer = await run(argument)
        except InvalidAddressError as error:
            answer = bad_address.saying(str(error))
        except MailError as error:
            answer = error.reply
        self.answer(command, answer, argument)

    def answer(self, command: str, answer: Reply, argument: str = "") -> None:
        """Answers a command; a refusal to a member is logged and traced."""
        binding = self.transaction.confirmed_as or self.binding
        if binding is not None and answer.code >= 400:
            by = self.server.policy.source, binding, self.peer
            refused = RefusedCommand(command, argument, answer, *by)
            answer = self.server.refusals.note(refused, self.transaction)
        elif command == "MAIL" and answer in (
            smtp_replies.NOT_TLS,
            smtp_replies.AUTH_REQUIRED,
        ):
            self._record_claim(command, answer, address_in(argument))
        self.send_reply(answer)

    def _record_claim(self, command: str, answer: Reply, sender: str) -> None:
        """Traces why a client that claims to be a member's server was refused.

        An administrator who is still setting the connection up sees what is missing.
        """
        organisation_id = self.server.claimed_organisation(sender)
        if organisation_id is not None:
            peer = str(self.peer.address)
            claim = UnprovenClaim(organisation_id, command, answer, sender, peer)
            self.server.refusals.note_claim(claim, self.transaction.reference)

    def send_reply(self, answer: Reply) -> None:
        """Sends a reply, and ends the session after too many errors or a 421."""
        self.push(str(answer))
        if answer.code < 400:
            return
        message_log.count_refusal(str(self.server.policy.source), answer)
        if self.binding is None:
            self.server.refusals.count_stranger(self.peer, answer)
        if answer.code >= 500:
            self._errors += 1
            if self._errors >= ERROR_LIMIT:
                self._give_up()
        elif answer.code == 421:  # RFC 5321 §4.2.3: the channel is closing
            self.hang_up()

    def _give_up(self) -> None:
        self.push(str(smtp_replies.TOO_MANY_ERRORS))
        self.hang_up()

    async def challenge(self, text: bytes) -> bytes:
        """Sends a SASL challenge and returns the response, still in base64."""
        self.push(b"334 " + base64.b64encode(text))
        return await self.read_line()
