"""The POP3 server (RFC 1939): lets mail clients download an inbox."""

from __future__ import annotations
