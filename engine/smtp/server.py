"""Opening the ports on which SMTP is heard."""

from __future__ import annotations

import asyncio
import ssl

from engine.certificates import Files
from engine.sessions import Handshake, open_port
from engine.smtp.server_context import Listener
from engine.smtp.session import Session


async def listen(
    listener: Listener,
    *,
    host: str,
    port: int,
    implicit_tls: bool = False,
    is_shared: bool = False,
) -> asyncio.Server:
    """Listen on a port; several processes share it where it `is_shared`. Port 0 takes a free one."""

    def protocol() -> asyncio.BaseProtocol:
        session = Session(listener)
        if implicit_tls:
            # The listener's of this moment: a renewed certificate comes with another.
            context, sessions = listener.tls_context, listener.sessions
            return Handshake(session, context=context, sessions=sessions)
        return session

    return await open_port(protocol, host=host, port=port, is_shared=is_shared)


def server_context(
    *, cert_file: str, key_file: str, ca_file: str = ""
) -> ssl.SSLContext:
    """The TLS that we serve: 1.2 or later; a client certificate is read if offered.

    Only certificates from `ca_file` count as a proof; with none given, no client
    certificate is asked for. Raises CertificateError.
    """
    return context_of(Files(cert_file, key_file, ca_file))


def context_of(files: Files) -> ssl.SSLContext:
    """As server_context(), for a certificate that is followed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files.load_into(context)
    if files.ca:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
