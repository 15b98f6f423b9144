"""Reads credentials by SASL PLAIN and LOGIN over SMTP (RFC 4954, RFC 4616)."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from engine.mail import smtp_replies
from engine.mail.errors import PermanentFailure
from engine.mail.smtp_path import SyntaxErrorInCommand


class Challenger(Protocol):
    """The part of a session that a mechanism needs."""

    async def challenge(self, text: bytes) -> bytes:
        """Sends a challenge and returns the client's response, still in base64."""


async def exchange(session: Challenger, argument: str) -> tuple[str, str]:
    """Runs the mechanism that AUTH names and returns user name and secret.

    Raises PermanentFailure for an unknown mechanism, a malformed response, or an
    exchange that the client cancels with "*".
    """
    mechanism, _, initial = argument.partition(" ")
    match mechanism.upper():
        case "PLAIN":
            return await _plain(session, initial.strip())
        case "LOGIN":
            return await _login(session, initial.strip())
    text = "Mechanisms are PLAIN and LOGIN"
    raise PermanentFailure(smtp_replies.Reply(504, "5.5.4", text))


async def _plain(session: Challenger, initial: str) -> tuple[str, str]:
    given = _octets(initial) if initial else await session.challenge(b"")
    parts = _decoded(given).split("\0")
    if len(parts) != 3:
        raise SyntaxErrorInCommand("PLAIN needs a user name and a password")
    on_behalf_of, name, secret = parts
    if on_behalf_of not in ("", name):
        raise SyntaxErrorInCommand("Sign in as yourself, not on behalf of another user")
    return name, secret


async def _login(session: Challenger, initial: str) -> tuple[str, str]:
    given = _octets(initial) if initial else await session.challenge(b"Username:")
    name = _decoded(given)
    return name, _decoded(await session.challenge(b"Password:"))


def _octets(text: str) -> bytes:
    """Returns the octets that the client sent; invalid ones fail as base64 later."""
    return text.encode(errors="surrogateescape")


def _decoded(line: bytes) -> str:
    # RFC 4954 §4: "*" cancels the exchange, "=" is an empty initial response.
    if line.strip() == b"*":
        raise PermanentFailure(smtp_replies.AUTH_CANCELLED)
    if line.strip() == b"=":
        return ""
    try:
        return base64.b64decode(line.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SyntaxErrorInCommand("The response is not base64 of UTF-8") from error
