"""What a checkpoint states: the signed JSON text, and the line that carries it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

TYPE = "postern-audit-checkpoint/1"
# Ten times the longest that we write, with the time stamp of an authority.
MAX_LINE = 256 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StatementError(ValueError):
    """The text is no checkpoint."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A checkpoint as it was signed, wherever it was kept.

    `abandons` names checkpoints that the chain no longer agrees with, because an operator
    restored an older backup and said so.
    """

    text: str
    signature: str
    time_stamp: str
    at: datetime
    length: int
    digest: str
    key: str
    abandons: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What names the statement: 32 hexadecimal digits of its digest."""
        return id_of(self.text)


def id_of(text: str) -> str:
    """Returns the id of a statement that was signed."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def compose(
    *,
    community: str,
    at: datetime,
    length: int,
    digest: str,
    key: str,
    abandons: Iterable[str] = (),
) -> str:
    """Returns the text to sign: JSON with sorted keys and without blanks."""
    facts = {
        "abandons": sorted(abandons),
        "at": at.astimezone(UTC).isoformat(),
        "community": community,
        "digest": digest,
        "key": key,
        "length": length,
        "type": TYPE,
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def parse(text: str, signature: str, time_stamp: str = "") -> Statement:
    """Reads a statement, without verifying its signature. Raises StatementError."""
    try:
        facts = json.loads(text)
        at = datetime.fromisoformat(facts["at"])
        length, digest, key = facts["length"], facts["digest"], facts["key"]
        abandons = tuple(facts["abandons"])
        is_ours = facts["type"] == TYPE and _DIGEST.fullmatch(digest) is not None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StatementError("It is no checkpoint.") from error
    is_typed = isinstance(key, str) and all(isinstance(one, str) for one in abandons)
    if not is_ours or not is_typed or type(length) is not int or at.tzinfo is None:
        raise StatementError("It is no checkpoint.")
    return Statement(text, signature, time_stamp, at, length, digest, key, abandons)


def to_line(statement: Statement) -> bytes:
    """Returns the line of JSON that is sent out of reach, with its end."""
    facts = {"signature": statement.signature, "statement": statement.text}
    if statement.time_stamp:
        facts["time_stamp"] = statement.time_stamp
    return json.dumps(facts, sort_keys=True).encode() + b"\n"


def from_line(line: bytes) -> Statement:
    """Reads a line. Raises StatementError."""
    try:
        facts = json.loads(line)
        parts = (facts["statement"], facts["signature"], facts.get("time_stamp", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StatementError("It is no checkpoint.") from error
    if not all(isinstance(one, str) for one in parts):
        raise StatementError("It is no checkpoint.")
    return parse(*parts)


def lines_of(path: str) -> Iterator[tuple[int, bytes]]:
    """Yields the number and text of each line that is not blank. Raises OSError.

    A line that is longer than any checkpoint comes in pieces, none of which is one.
    """
    number = 0
    with open(path, "rb") as file:
        while line := file.readline(MAX_LINE):
            number += 1
            if line.strip():
                yield number, line
