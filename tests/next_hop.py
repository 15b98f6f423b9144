"""A member's mail server for tests: real SMTP over real TLS, with scripted replies."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

# Not a reply: the server drops the connection instead.
HANG_UP = "999 hang up"
# Exchange Online's reply when a partner connector restricts its domains to another
# certificate.
PARTNER_REFUSAL = (
    "550 5.7.51 TenantInboundAttribution; There is a partner connector configured that"
    " matched the message's recipient domain. The connector had either the"
    " RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set"
)


@dataclass(frozen=True)
class Received:
    """A message that the server accepted."""

    sender: str
    recipients: list[str]
    data: bytes
    mail_options: list[str]
    rcpt_options: list[list[str]]
    session: int
    client_names: list[str]


class RequiringTls(SMTP):
    """Takes REQUIRETLS (RFC 8689), which no mail server that Debian 12 has does."""

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        return super()._getparams([one for one in params if one != "REQUIRETLS"])


@dataclass
class NextHop:
    """Listens between `start` and `stop`, on the same port each time.

    `rcpt_replies` are those to each recipient, used up in order; `data_replies` those
    to the message as a whole. When none are left, the server accepts.
    """

    context: ssl.SSLContext | None
    size_limit: int = 0
    rcpt_replies: defaultdict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    data_replies: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    sessions: int = 0
    port: int = 0
    protocol: type[SMTP] = SMTP
    missing_extensions: tuple[str, ...] = ()
    """Extensions that it does not offer."""
    required_client_name: str = ""
    """A name that the client's certificate must carry, as with a partner connector."""

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: list[asyncio.Transport] = []
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            self._protocol, "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def hang_up(self) -> None:
        """Drops every connection without a reply."""

        async def drop() -> None:
            for connection in self._connections:
                connection.abort()
            self._connections.clear()

        asyncio.run_coroutine_threadsafe(drop(), self._loop).result()

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _protocol(self) -> SMTP:
        self.sessions += 1
        return self.protocol(
            _Handler(self, self.sessions),
            hostname="mail.firm.example",
            tls_context=self.context,
            require_starttls=self.context is not None,
            enable_SMTPUTF8=True,
            data_size_limit=self.size_limit or None,
            loop=self._loop,
        )


@dataclass
class _Handler:
    hop: NextHop
    session: int

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: Any
    ) -> Any:
        session.host_name = name
        self.hop._connections.append(server.transport)
        if isinstance(server, RequiringTls) and server.transport.get_extra_info(
            "sslcontext"
        ):
            lines = [*lines[:1], "250-REQUIRETLS", *lines[1:]]
        return [
            line
            for line in lines
            if not line[4:].startswith(self.hop.missing_extensions or ("-",))
        ]

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.hop.required_client_name not in ["", *_client_names(server)]:
            return PARTNER_REFUSAL
        replies = self.hop.rcpt_replies[address]
        answer = replies.pop(0) if replies else "250 2.1.5 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.append(options)
        return answer

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = (
            self.hop.data_replies.pop(0) if self.hop.data_replies else "250 2.0.0 Taken"
        )
        if answer == HANG_UP:
            server.transport.abort()
        if not answer.startswith("2"):
            return answer
        self.hop.received.append(
            Received(
                envelope.mail_from,
                envelope.rcpt_tos,
                bytes(envelope.original_content or b""),
                envelope.mail_options,
                envelope.rcpt_options,
                self.session,
                _client_names(server),
            )
        )
        return answer


def _client_names(server: SMTP) -> list[str]:
    certificate = server.transport.get_extra_info("peercert") or {}
    return [name for _, name in certificate.get("subjectAltName", ())]
