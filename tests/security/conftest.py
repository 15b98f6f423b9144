from __future__ import annotations

from tests.engine.pop3 import conftest as of_pop3
from tests.engine.smtp.conftest import (
    app_password,
    authority,
    client_context,
    credential,
    server,
)
from tests.portal.serving.conftest import serve, web

reader, serve_pop3, tls_context = of_pop3.reader, of_pop3.serve, of_pop3.tls_context
__all__ = [
    "app_password",
    "authority",
    "client_context",
    "credential",
    "reader",
    "serve",
    "serve_pop3",
    "server",
    "tls_context",
    "web",
]
