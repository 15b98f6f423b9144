"""An SMTP client session with a next hop, over TLS before anything else is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, cast

from aiosmtplib import SMTP, SMTPException, SMTPResponse
from django.conf import settings

from engine.mail.smtp_replies import Reply
from engine.network import ssrf_protection
from engine.transport.connection_errors import (
    BROKEN_OFF,
    NO_ANSWER,
    NO_STARTTLS,
    NOT_OUTSIDE,
    OUT_OF_STEP,
    ConversationError,
    explained,
    starting_tls,
)
from engine.transport.next_hop import Command, Hop
from engine.transport.parcel import Cause
from engine.transport.protection import Protection
from engine.transport.tls_attempts import PolicyType, TlsAttempt

# Seconds. RFC 5321 §4.5.3.2 asks for minutes, for servers that know nothing of each other;
# in this community a silent server is down, except while it processes the message.
CONNECT_TIMEOUT = 30.0
COMMAND_TIMEOUT = 120.0
BLOCK_TIMEOUT = 180.0
FINAL_TIMEOUT = 600.0  # RFC 5321 §4.5.3.2.6
FAREWELL_TIMEOUT = 2.0


class Session:
    """An open session over verified TLS. Sends one message after another."""

    def __init__(
        self,
        protection: Protection,
        client: SMTP,
        writer: asyncio.StreamWriter,
        facts: dict[str, Any],
    ) -> None:
        self.hop = protection.hop
        self.sent = 0
        # How TLS came about; taken by the first message, because it is counted once.
        self.attempt: TlsAttempt | None = protection.attempt
        self._client = client
        self._writer = writer
        self.detail: dict[str, Any] = {"next_hop": str(self.hop), **facts}

    @classmethod
    async def open(cls, hop: Hop) -> Session:
        """Connects, starts TLS and signs in where needed. Raises ConversationError.

        What protects the session is looked up first: nothing is dialled while that is not
        known.
        """
        protection = await Protection.find(hop)
        client = SMTP(
            hostname=hop.host,
            port=hop.port,
            local_hostname=settings.POSTERN.smtp_name,
            start_tls=False,
            timeout=CONNECT_TIMEOUT,
        )
        try:
            return await cls._secure(protection, client)
        except BaseException:
            _abort(client)
            raise

    @classmethod
    async def _secure(cls, protection: Protection, client: SMTP) -> Session:
        hop = protection.hop
        context = await asyncio.to_thread(protection.context)
        with explained(NO_ANSWER):
            await client.connect()
            _check_may_dial(hop, client)
            await client.ehlo()
        with starting_tls(protection.attempt):
            if not client.supports_extension("starttls"):
                raise ConversationError(NO_STARTTLS, Cause.TLS)
            await client.starttls(
                tls_context=context, server_hostname=protection.server_name
            )
            facts = protection.check(client.get_transport_info("ssl_object"))
        with explained(BROKEN_OFF):
            await client.ehlo()
            if hop.username:
                await client.login(hop.username, hop.password)
        # The one public way to wait until a transport has room again.
        writer = asyncio.StreamWriter(
            cast(asyncio.WriteTransport, client.transport),
            cast(asyncio.BaseProtocol, client.protocol),
            None,
            asyncio.get_running_loop(),
        )
        return cls(protection, client, writer, facts)

    @property
    def is_bound_by_dane(self) -> bool:
        """Whether the server's own DNS proved its certificate."""
        return bool(self.detail["tls_policy"] == PolicyType.DANE.value)

    @property
    def is_open(self) -> bool:
        """Whether the connection is still up, as far as known."""
        return self._client.is_connected

    def supports(self, extension: str) -> bool:
        """Returns whether EHLO announced the extension, given in lower case."""
        return self._client.supports_extension(extension)

    @property
    def size_limit(self) -> int:
        """The most octets that the next hop accepts (RFC 1870 §4); 0 where unstated."""
        stated = self._client.esmtp_extensions.get("size", "").strip()
        return int(stated) if stated.isdecimal() else 0

    async def reset(self) -> None:
        """Checks that the server still answers. Raises ConversationError."""
        reply = await self._command(b"RSET")
        if not reply.is_positive:
            raise ConversationError(reply, Cause.UNREACHABLE)

    async def send(
        self,
        sender: Command,
        recipients: Iterable[Command],
        wire: AsyncIterator[bytes],
    ) -> list[Reply]:
        """Sends one message and returns one reply for each recipient, in order.

        `wire` is the dot-stuffed message with its end of data. The next hop's replies are
        results, not errors. Raises ConversationError where the session breaks.
        """
        opening = await self._command(sender.encode("MAIL FROM"))
        replies = [
            await self._command(recipient.encode("RCPT TO"))
            if opening.is_positive
            else opening
            for recipient in recipients
        ]
        taken = [opening.is_positive and reply.is_positive for reply in replies]
        if not any(taken):
            return replies
        closing = await self._data(wire)
        return [
            closing if is_taken else reply
            for is_taken, reply in zip(taken, replies, strict=True)
        ]

    async def _data(self, wire: AsyncIterator[bytes]) -> Reply:
        opening = await self._command(b"DATA")
        if opening.is_positive:
            # Not counted as success, because no octet of the message was sent.
            raise ConversationError(OUT_OF_STEP, Cause.UNREACHABLE)
        if not opening.is_intermediate:
            return opening
        self.sent += 1
        # Each chunk is written when the next one is known, so that the last one, with the
        # end of data, goes through _finish.
        held_back = b""
        async for chunk in wire:
            await self._write(held_back)
            held_back = chunk
        return await self._finish(held_back)

    async def _write(self, chunk: bytes) -> None:
        with explained(BROKEN_OFF):
            async with asyncio.timeout(BLOCK_TIMEOUT):
                self._writer.write(chunk)
                await self._writer.drain()

    async def _finish(self, ending: bytes) -> Reply:
        with explained(BROKEN_OFF):
            protocol = self._client.protocol
            if protocol is None:
                raise ConnectionResetError("Connection lost")
            # The event loop must not run between the last octets and waiting for the
            # reply, or aiosmtplib could take the reply for an unexpected one.
            protocol.write(ending)
            return _heard(await protocol.read_response(timeout=FINAL_TIMEOUT))

    async def _command(self, line: bytes) -> Reply:
        with explained(BROKEN_OFF):
            response = await self._client.execute_command(line, timeout=COMMAND_TIMEOUT)
        return _heard(response)

    def abandon(self) -> None:
        """Drops the connection; a half-sent message is not accepted by the peer.

        Without a TLS shutdown, because nothing that matters is in transit any more.
        """
        _abort(self._client)

    async def close(self) -> None:
        """Sends QUIT if the peer still listens, then drops the connection."""
        with suppress(SMTPException, OSError, TimeoutError):
            if self.is_open:
                await self._client.execute_command(b"QUIT", timeout=FAREWELL_TIMEOUT)
        self.abandon()
        await asyncio.sleep(0)  # the loop closes the socket in its next round


def _abort(client: SMTP) -> None:
    """Drops a connection at once: a TLS session would wait for the peer to end it too."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


def _check_may_dial(hop: Hop, client: SMTP) -> None:
    """Raises ConversationError for a host inside our own network, before any command."""
    peer = ip_address(client.get_transport_info("peername")[0].partition("%")[0])
    if not hop.is_ours and not ssrf_protection.may_dial(peer):
        raise ConversationError(NOT_OUTSIDE, Cause.UNREACHABLE)


def _heard(response: SMTPResponse) -> Reply:
    return Reply.received(response.code, response.message)
