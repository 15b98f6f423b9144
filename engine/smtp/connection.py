"""One SMTP connection below its commands: TLS, replies, chunks, and what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar, cast

from aiosmtpd.smtp import SMTP

from engine import journal
from engine.mail import smtp_replies
from engine.mail.errors import MailError
from engine.mail.smtp_replies import Reply
from engine.places import Dropped, Place
from engine.sessions import HANDSHAKE_SECONDS, hang_up
from engine.smtp.mail_transaction import Transaction
from engine.smtp.server_context import Listener
from engine.smtp.session_binding import Binding, Peer, peer_of

log = logging.getLogger(__name__)

# RFC 4954 §4: an AUTH line, and each response, may be this long.
LINE_LIMIT = 12_288 + 2
COMMAND_LIMIT = 2_048
# A server may well have a list with old addresses: this many refusals, not fewer.
ERROR_LIMIT = 100


class _CommandLimits(defaultdict[str, int]):
    """Octets by command. What it does not know it does not keep."""

    def __missing__(self, command: str) -> int:
        return COMMAND_LIMIT


class Wire(SMTP):
    """aiosmtpd's command loop, with our limits, our TLS and our answer to faults."""

    line_length_limit = LINE_LIMIT
    _names: ClassVar[tuple[str, ...]]

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
        # The base class shares one dictionary between all its sessions, and has it
        # remember every word that anybody says.
        self.command_size_limits = _CommandLimits(AUTH=LINE_LIMIT)
        self.command_size_limit = COMMAND_LIMIT
        self.listener = listener
        self._errors = 0
        self._place: Place | None = None
        self._is_shaking_hands = False

    def __dir__(self) -> Iterable[str]:
        """The commands alone. The base class looks through all that dir() names for
        each new connection, which took ten times as long as the rest of it."""
        kind = type(self)
        if "_names" not in kind.__dict__:
            kind._names = tuple(n for n in dir(kind) if n.startswith("smtp_"))
        return kind._names

    def connection_made(self, transport: Any) -> None:
        self._place = self.listener.sessions.admit(transport, self._drop)
        if self._place is None:
            transport.write(f"{smtp_replies.TOO_MANY_CONNECTIONS}\r\n".encode())
            hang_up(transport)
        super().connection_made(transport)
        self._begin(transport)

    def _drop(self, why: Dropped) -> None:
        """End a session that has not signed in: it is too slow, or others need its place."""
        if self.transport is None:
            return
        if self._is_shaking_hands:
            cast(asyncio.WriteTransport, self.transport).abort()
            return
        last = (
            smtp_replies.TOO_SLOW if why is Dropped.SLOW else smtp_replies.CROWDED_OUT
        )
        self._writer.write(f"{last}\r\n".encode())
        self._hang_up()

    def _settle(self) -> None:
        """Keep the session's place for it while it is bound."""
        if self.binding is None:
            self.listener.sessions.unbind(self._place)
        else:
            self.listener.sessions.bind(self._place)

    def _begin(self, transport: Any) -> None:
        """Forget all that was said: at the start, and after TLS (RFC 3207 §4.2)."""
        self.peer: Peer = peer_of(transport)
        self.binding: Binding | None = None
        self.helo = ""
        self._set_post_data_state()
        if self.session is not None:
            # Without this the base class holds every line to the length of HELO's,
            # and does not know of TLS.
            self.session.extended_smtp = True
            self.session.ssl = transport.get_extra_info("ssl_object")

    def connection_lost(self, error: Exception | None) -> None:
        self.listener.sessions.release(self._place)
        super().connection_lost(error)

    def _timeout_cb(self) -> None:
        """Called by the base class when a session has been idle for five minutes."""
        self._hang_up()

    def _set_post_data_state(self) -> None:
        """Called by the base class wherever a transaction ends."""
        self.transaction = Transaction()

    async def _handle_client(self) -> None:
        """Serve the peer until it has gone.

        The base class logs that and raises it for nobody, so that each peer that resets
        its connection would leave a traceback in the log.
        """
        with contextlib.suppress(ConnectionResetError):
            await super()._handle_client()

    async def start_tls(self) -> None:
        """Begin TLS. Raises ConnectionResetError when it fails.

        Whatever the peer sent ahead in clear is dropped: it must not be taken for
        something said inside TLS (RFC 3207 §4.2).
        """
        before = cast(asyncio.WriteTransport, self.transport)
        # Now, not later: the first words inside TLS may come with its last handshake.
        self._reader._buffer.clear()  # type: ignore[attr-defined]
        self._is_shaking_hands = True
        try:
            transport = await self.loop.start_tls(
                before,
                self,
                self.listener.tls_context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
            # asyncio has none left where the peer hung up as the handshake ended.
            if transport is None:
                raise ConnectionResetError("the peer has gone")
        except OSError as error:
            # A handshake that dies tells nobody that the connection is lost.
            self.listener.sessions.release(self._place)
            raise ConnectionResetError("the TLS handshake failed") from error
        finally:
            self._is_shaking_hands = False
        self._reader._transport = transport  # type: ignore[attr-defined]
        self._writer._transport = transport  # type: ignore[attr-defined]
        self.transport = transport
        self._begin(transport)

    async def say(self, answer: Reply) -> None:
        """Answer, and end the session of a peer that keeps getting things wrong."""
        await self.push(str(answer))
        if answer.code >= 400:
            journal.count_refusal(str(self.listener.door.source), answer)
        if answer.code >= 500:
            self._errors += 1
            if self._errors >= ERROR_LIMIT:
                await self.push(str(smtp_replies.TOO_MANY_ERRORS))
                self._hang_up()
        elif answer.code == 421:  # RFC 5321 §4.2.3: the channel is closing
            self._hang_up()

    def _hang_up(self) -> None:
        if self.transport is not None:
            hang_up(cast(asyncio.WriteTransport, self.transport))

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong here is our fault, and never final for the peer."""
        if isinstance(error, MailError):
            return str(error.reply)
        log.error("a session failed", exc_info=error)
        return str(smtp_replies.TRY_LATER)

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
        if rest:
            self._reader._buffer[:0] = rest  # type: ignore[attr-defined]
