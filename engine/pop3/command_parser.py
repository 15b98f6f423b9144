"""Parses POP3 commands (RFC 1939 §3)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.pop3 import replies
from engine.pop3.replies import Refused


@dataclass(frozen=True, slots=True)
class Command:
    """A keyword in capitals, and the rest of the line as the client sent it."""

    name: str
    rest: str = ""

    @classmethod
    def parse(cls, text: bytes) -> Command:
        """Returns the command on a line. Raises Refused where it is not a command."""
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(replies.BAD_SYNTAX) from error
        name, _, rest = decoded.partition(" ")
        if not name.isascii() or not name.isalnum() or "\0" in rest:
            raise Refused(replies.UNKNOWN)
        return cls(name.upper(), rest)

    def numbers(self, *, least: int, most: int) -> list[int]:
        """Returns the arguments as numbers: at least `least` of them, at most `most`.

        Raises Refused where one is not a number of up to nine ASCII digits.
        """
        words = self.rest.split()
        if not least <= len(words) <= most:
            raise Refused(replies.BAD_SYNTAX)
        if not all(
            word.isascii() and word.isdigit() and len(word) < 10 for word in words
        ):
            raise Refused(replies.BAD_SYNTAX)
        return [int(word) for word in words]
