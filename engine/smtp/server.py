"""Opens the ports of an SMTP server and builds the TLS context that they serve."""

from __future__ import annotations

import asyncio
import ssl

from engine.network.proxy_header import Endpoint
from engine.network.server_connections import ImplicitTls, open_port
from engine.secrets.certificates import CertificateFiles
from engine.smtp.server_context import ServerContext
from engine.smtp.session import Session


async def listen(
    server: ServerContext,
    *,
    host: str,
    port: int,
    implicit_tls: bool = False,
    is_shared: bool = False,
) -> asyncio.Server:
    """Opens a port and starts a session for each connection to it.

    With `implicit_tls`, TLS begins with the first octet (RFC 8314 §3.3); otherwise by
    STARTTLS. With `is_shared`, several processes may listen on the same port. Port 0
    takes a free one.
    """

    def start_session(client: Endpoint | None) -> asyncio.BaseProtocol:
        session = Session(server, client)
        if implicit_tls:
            # Read for each connection: a renewed certificate comes with a new context.
            context, sessions = server.tls_context, server.sessions
            return ImplicitTls(
                session, context=context, sessions=sessions, client=client
            )
        return session

    return await open_port(start_session, host=host, port=port, is_shared=is_shared)


def server_tls_context(files: CertificateFiles) -> ssl.SSLContext:
    """Returns a server's TLS context: 1.2 or later, with an optional client certificate.

    A client certificate is requested only where `files.ca` is given, and only
    certificates that this authority has signed count as proof. POP3 serves the same
    context. Raises CertificateError where the files cannot be loaded.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files.load_into(context)
    if files.ca:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
