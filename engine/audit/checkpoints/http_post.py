"""Posts octets to an address that the operator has configured."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

SECONDS = 10.0
MAX_REPLY = 64 * 1024


class PostError(OSError):
    """The server cannot be reached, or did not accept what was posted."""


def post(url: str, body: bytes, content_type: str) -> bytes:
    """Posts the body, and returns the reply's. Raises PostError; follows no redirect.

    Private addresses are permitted: the URL is the operator's, not a member's.
    """
    try:
        parts = urlsplit(url)
        connection: HTTPConnection
        if parts.scheme == "https":
            connection = HTTPSConnection(
                parts.hostname or "",
                parts.port,
                timeout=SECONDS,
                context=ssl.create_default_context(),
            )
        else:
            connection = HTTPConnection(
                parts.hostname or "", parts.port, timeout=SECONDS
            )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": content_type, "User-Agent": "Postern-Audit/1"}
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            reply = response.read(MAX_REPLY)
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        raise PostError(f"{_host_of(url)} cannot be reached: {error}.") from error
    if not 200 <= response.status < 300:
        raise PostError(
            f"{_host_of(url)} answered {response.status} {response.reason[:80]}."
        )
    return reply


def _host_of(url: str) -> str:
    """Returns the host of a URL, whose path may hold a secret."""
    try:
        return urlsplit(url).hostname or "The URL"
    except ValueError:
        return "The URL"
