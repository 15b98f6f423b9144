"""Reads credentials by SASL PLAIN, LOGIN and SCRAM over SMTP (RFC 4954, 4616, 5802)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.mail import smtp_replies
from engine.mail.errors import PermanentFailure
from engine.mail.smtp_path import SyntaxErrorInCommand
from engine.registry.credentials import scram_keys
from engine.registry.credentials.scram_exchange import ScramError, ScramExchange


class Challenger(Protocol):
    """The part of a session that a mechanism needs."""

    async def challenge(self, text: bytes) -> bytes:
        """Sends a challenge and returns the client's response, still in base64."""


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and the secret that the client sent."""

    username: str
    secret: str = field(repr=False)


async def exchange(
    session: Challenger, argument: str, mechanisms: Sequence[str]
) -> Password | ScramExchange:
    """Runs the mechanism that AUTH names and returns what it brought, not yet checked.

    Raises PermanentFailure for a mechanism that is not offered, a malformed response, or
    an exchange that the client cancels with "*".
    """
    mechanism, _, initial = argument.partition(" ")
    name = mechanism.upper()
    if name not in mechanisms:
        text = f"Mechanisms are {' '.join(mechanisms)}"
        raise PermanentFailure(smtp_replies.Reply(504, "5.5.4", text))
    match name:
        case "PLAIN":
            return await _plain(session, initial.strip())
        case "LOGIN":
            return await _login(session, initial.strip())
    return await _scram(session, initial.strip())


async def finish(session: Challenger, signature: bytes) -> None:
    """Shows the client SCRAM's signature of ours, to which it answers nothing."""
    if _decoded(await session.challenge(signature)):
        raise SyntaxErrorInCommand("The response to our signature must be empty")


async def _scram(session: Challenger, initial: str) -> ScramExchange:
    given = _octets(initial) if initial else await session.challenge(b"")
    try:
        made = ScramExchange(_decoded(given).encode())
        asked = made.challenge(scram_keys.salt(), scram_keys.ITERATIONS)
        made.read_proof(_decoded(await session.challenge(asked)).encode())
    except ScramError as error:
        raise SyntaxErrorInCommand(str(error)) from error
    return made


async def _plain(session: Challenger, initial: str) -> Password:
    given = _octets(initial) if initial else await session.challenge(b"")
    parts = _decoded(given).split("\0")
    if len(parts) != 3:
        raise SyntaxErrorInCommand("PLAIN needs a user name and a password")
    on_behalf_of, name, secret = parts
    if on_behalf_of not in ("", name):
        raise SyntaxErrorInCommand("Sign in as yourself, not on behalf of another user")
    return Password(name, secret)


async def _login(session: Challenger, initial: str) -> Password:
    given = _octets(initial) if initial else await session.challenge(b"Username:")
    name = _decoded(given)
    return Password(name, _decoded(await session.challenge(b"Password:")))


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
