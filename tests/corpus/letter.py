"""A message as a program wrote it, before anything of ours has seen it."""

from __future__ import annotations

import re
from dataclasses import dataclass

SENDER = "jane@marlowfinch.example"
SENDER_NAME = "Jane Finch"
DOMAIN = "marlowfinch.example"
RECIPIENT = "listing@northgate.secure.example"

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message and where it comes from.

    `sender` is the address on the envelope; reports have none.
    """

    program: str
    shape: str
    raw: bytes
    sender: str = SENDER

    @property
    def name(self) -> str:
        return f"{self.program}: {self.shape}"

    @property
    def message_id(self) -> str:
        """The Message-ID, by which the message is found again."""
        header = re.split(rb"\r?\n\r?\n", self.raw, maxsplit=1)[0]
        found = _MESSAGE_ID.search(header)
        assert found, f"{self.name} has no Message-ID"
        return found[1].decode()


def subject(program: str, shape: str) -> str:
    """Returns a subject that no other message of the corpus has."""
    return f"{program}, {shape}"
