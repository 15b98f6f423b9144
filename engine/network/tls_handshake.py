"""Starts TLS so that a client whose handshake fails hears why, and the log says it in words.

asyncio (Python 3.14) drops the alert that OpenSSL has written: a client that speaks TLS 1.1
alone only sees that its connection was reset.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio.sslproto import SSLProtocol

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 30

# OpenSSL's reasons, by what a client has to change.
_TOO_OLD = "it offers nothing newer than TLS 1.1, and TLS 1.2 or later is required"
_REASONS = {
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "VERSION_TOO_LOW": _TOO_OLD,
    "NO_SHARED_CIPHER": "it offers no cipher that is accepted here",
    "HTTP_REQUEST": "it speaks HTTP without TLS",
    "WRONG_VERSION_NUMBER": "what it sent is not TLS",
    "CERTIFICATE_VERIFY_FAILED": "its certificate could not be verified",
}


class ExplainedTls(SSLProtocol):
    """asyncio's TLS (Python 3.11 to 3.14), which sends the alert of a failed handshake."""

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        """Called by asyncio: the handshake has succeeded or failed."""
        if isinstance(handshake_exc, ssl.SSLError):
            self._process_outgoing()  # type: ignore[attr-defined]
            peer = self._transport and self._transport.get_extra_info("peername")
            name = peer or ("an unknown address",)
            log.info("TLS with %s failed: %s", name[0], explanation(handshake_exc))
        super()._on_handshake_complete(handshake_exc)


def explanation(error: ssl.SSLError) -> str:
    """Returns in words why the handshake of a client failed."""
    reason = error.reason or "the connection ended"
    return _REASONS.get(reason, reason.replace("_", " ").lower())


async def start_tls(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> asyncio.Transport | None:
    """Upgrades a server's connection to TLS, as `loop.start_tls` does.

    Returns None where the client hung up as the handshake ended (seen with Python 3.14).
    Raises OSError for a handshake that fails, ssl.SSLError among them.
    """
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    upgraded = ExplainedTls(
        loop,
        protocol,
        context,
        waiter,
        server_side=True,
        call_connection_made=False,
        ssl_handshake_timeout=HANDSHAKE_SECONDS,
    )
    # Nothing may arrive between the two protocols.
    transport.pause_reading()
    transport.set_protocol(upgraded)
    begin = loop.call_soon(upgraded.connection_made, transport)
    resume = loop.call_soon(transport.resume_reading)
    try:
        await waiter
    except BaseException:
        transport.close()
        begin.cancel()
        resume.cancel()
        raise
    return upgraded._app_transport
