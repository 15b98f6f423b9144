from __future__ import annotations

from tests.engine.pop3 import conftest as of_pop3
from tests.engine.smtp.conftest import (
    app_password,
    authority,
    client_context,
    credential,
    server,
)
from tests.portal.conftest import _fresh_cache, signed_in
from tests.portal.serving.conftest import serve, web
from tests.security.victim import letter

reader, serve_pop3, tls_context = of_pop3.reader, of_pop3.serve, of_pop3.tls_context
__all__ = [
    "_fresh_cache",
    "app_password",
    "authority",
    "client_context",
    "credential",
    "letter",
    "reader",
    "serve",
    "serve_pop3",
    "server",
    "signed_in",
    "tls_context",
    "web",
]
