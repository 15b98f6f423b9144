"""What a client says and how it is answered: RFC 1939 §3, RFC 2449, RFC 3206."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

CRLF = b"\r\n"
END = b".\r\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A -ERR answer: the sentence, and a response code in capitals where one fits."""

    text: str
    code: str = ""

    def __bytes__(self) -> bytes:
        code = f"[{self.code}] " if self.code else ""
        return line(f"-ERR {code}{self.text}")


class Refused(Exception):
    """The command is answered with a refusal and the session goes on."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


# RFC 3206 §4 and §5; RFC 2449 §8.1.1
NO_TLS = Refusal("Start TLS with STLS before signing in", "AUTH")
WRONG = Refusal("The address or the app password is wrong", "AUTH")
NO_MAILBOX = Refusal("No mailbox is kept here for this address", "AUTH")
IN_USE = Refusal("The mailbox is open in another session", "IN-USE")
FAULT = Refusal("Something went wrong here; try again later", "SYS/TEMP")
CROWDED = Refusal("Too many connections; try again later", "SYS/TEMP")
CROWDED_OUT = Refusal(
    "Too many connections wait to sign in; connect again and sign in at once",
    "SYS/TEMP",
)
NO_SUCH_MESSAGE = Refusal("No such message")
READ_ONLY = Refusal("You may read this mailbox, but remove nothing from it", "PERM")
SIGNED_OUT = Refusal(
    "Your sign-in is not valid any more; nothing was deleted", "SYS/PERM"
)
LOST = Refusal(
    "Another session has opened the mailbox meanwhile; nothing was deleted", "SYS/TEMP"
)
GONE = Refusal("The message was removed in the meantime")
NOT_NOW = Refusal("Not possible at this point")
UNKNOWN = Refusal("Command not recognised")
BAD_SYNTAX = Refusal("Syntax error in the command")
NO_MECHANISM = Refusal("The only mechanism is PLAIN")
BAD_SASL = Refusal("The response is not valid for this mechanism")
CANCELLED = Refusal("Authentication cancelled")
LINE_TOO_LONG = Refusal("Line too long")


@dataclass(frozen=True, slots=True)
class Command:
    """A keyword in capitals, and the rest of the line as it was typed."""

    name: str
    rest: str = ""

    @classmethod
    def parse(cls, text: bytes) -> Command:
        """Raises Refused for what is no command at all."""
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(BAD_SYNTAX) from error
        name, _, rest = decoded.partition(" ")
        if not name.isascii() or not name.isalpha() or "\0" in rest:
            raise Refused(UNKNOWN)
        return cls(name.upper(), rest)

    def numbers(self, *, least: int, most: int) -> list[int]:
        """The arguments, all of them numbers. Raises Refused."""
        words = self.rest.split()
        if not least <= len(words) <= most:
            raise Refused(BAD_SYNTAX)
        if not all(
            word.isascii() and word.isdigit() and len(word) < 10 for word in words
        ):
            raise Refused(BAD_SYNTAX)
        return [int(word) for word in words]


def line(text: str) -> bytes:
    return text.encode() + CRLF


def read_plain(response: str) -> tuple[str, str]:
    """The user name and secret of a SASL PLAIN response (RFC 4616). Raises Refused.

    An authorisation identity may only repeat the user name.
    """
    try:
        decoded = base64.b64decode(response, validate=True).decode("utf-8")
        acts_as, username, secret = decoded.split("\0")
    except (binascii.Error, ValueError) as error:
        raise Refused(BAD_SASL) from error
    if acts_as not in ("", username):
        raise Refused(WRONG)
    return username, secret
