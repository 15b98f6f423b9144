"""SASL PLAIN and LOGIN over SMTP (RFC 4954, RFC 4616)."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from engine.mail import smtp_replies
from engine.mail.errors import PermanentFailure
from engine.mail.smtp_path import SyntaxErrorInCommand


class Conversation(Protocol):
    """The part of a session that a mechanism needs."""

    async def challenge(self, text: bytes) -> bytes:
        """Send a challenge and return the peer's line, still in base64."""


async def ask(session: Conversation, argument: str) -> tuple[str, str]:
    """Carry out the mechanism that AUTH names and return user name and secret.

    Raises PermanentFailure for an unknown mechanism, nonsense, or a cancelled talk.
    """
    mechanism, _, initial = argument.partition(" ")
    match mechanism.upper():
        case "PLAIN":
            return await _plain(session, initial.strip())
        case "LOGIN":
            return await _login(session, initial.strip())
    raise PermanentFailure(
        smtp_replies.Reply(504, "5.5.4", "Mechanisms are PLAIN and LOGIN")
    )


async def _plain(session: Conversation, initial: str) -> tuple[str, str]:
    given = _octets(initial) if initial else await session.challenge(b"")
    parts = _decoded(given).split("\0")
    if len(parts) != 3:
        raise SyntaxErrorInCommand("PLAIN needs a user name and a password")
    on_behalf_of, name, secret = parts
    if on_behalf_of not in ("", name):
        raise SyntaxErrorInCommand("Sign in as yourself, not for somebody else")
    return name, secret


async def _login(session: Conversation, initial: str) -> tuple[str, str]:
    given = _octets(initial) if initial else await session.challenge(b"Username:")
    name = _decoded(given)
    return name, _decoded(await session.challenge(b"Password:"))


def _octets(text: str) -> bytes:
    """What the peer sent, even where it is no UTF-8: it is refused as no base64."""
    return text.encode(errors="surrogateescape")


def _decoded(line: bytes) -> str:
    if line.strip() == b"*":
        raise PermanentFailure(smtp_replies.AUTH_CANCELLED)
    if line.strip() == b"=":
        return ""
    try:
        return base64.b64decode(line.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SyntaxErrorInCommand("That is not base64 of UTF-8") from error
