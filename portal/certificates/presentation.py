"""A certificate's statement as tables of labels and values, for the PDF and the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from engine.certificates.models import Role

DIGEST_LENGTH = 64  # hexadecimal digits
NOT_STATED = "Not stated: see below"
NO_SENDER = "None: it is a notice about delivery"


class Fact(NamedTuple):
    """One row; `is_code` is for digests and references, in letters of one width."""

    label: str
    value: str
    is_code: bool = False

    @property
    def is_digest(self) -> bool:
        """Whether it is one long word, which the PDF shows on one line."""
        return self.is_code and len(self.value) == DIGEST_LENGTH


@dataclass(frozen=True, slots=True)
class FactTable:
    """Facts about one thing."""

    caption: str
    facts: tuple[Fact, ...]


def tables(statement: dict[str, Any]) -> list[FactTable]:
    """Returns everything that a statement says, beside what it does not claim."""
    return [
        FactTable("This certificate", tuple(_certificate(statement))),
        FactTable("The message", tuple(_message(statement))),
        *_recipients(statement),
        FactTable(
            "Place in the audit trail of the service", tuple(_audit(statement["audit"]))
        ),
    ]


def moment(text: str) -> str:
    """Writes a moment of ISO 8601 out, to the second and in UTC."""
    at: datetime | None = parse_datetime(text)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC" if at else text


def _certificate(statement: dict[str, Any]) -> Iterator[Fact]:
    community, reader = statement["community"], statement["made_for"]
    yield Fact("Number", statement["number"], is_code=True)
    yield Fact("Made", moment(statement["made_at"]))
    yield Fact("Made for", f"{reader['name']}, {Role(reader['role']).label}")
    yield Fact("Issued by", f"{community['name']} ({community['domain']})")


def _message(statement: dict[str, Any]) -> Iterator[Fact]:
    message, scan = statement["message"], statement["scan"]
    yield Fact("Reference", message["reference"], is_code=True)
    yield Fact("Sender on the envelope", message["sender"] or NO_SENDER)
    yield Fact("Accepted and kept", moment(message["accepted_at"]))
    size = message["size"]
    yield Fact("Size", NOT_STATED if size is None else f"{size:,} octets")
    yield Fact("How it came", capfirst(message["entered"]) or NOT_STATED)
    yield Fact("Encryption on that way", message["tls"] or "No mail connection")
    yield Fact("Virus scan", capfirst(scan["verdict"]))
    if scan["could_not_be_opened"]:
        names = ", ".join(scan["could_not_be_opened"])
        yield Fact("Could not be opened for the scan", names)
    for part in ("header", "body"):
        digest = message[f"{part}_sha256"]
        yield Fact(f"SHA-256 of the {part}", digest or NOT_STATED, is_code=bool(digest))


def _recipients(statement: dict[str, Any]) -> Iterator[FactTable]:
    rows = statement["recipients"]
    for number, one in enumerate(rows, 1):
        caption = f"Recipient {number} of {len(rows)}" if len(rows) > 1 else "Recipient"
        yield FactTable(caption, tuple(_recipient(one)))


def _recipient(one: dict[str, Any]) -> Iterator[Fact]:
    yield Fact("Address", one["address"])
    yield Fact("Outcome", one["words"])
    yield Fact("When", moment(one["at"]))
    if one["reply"]:
        yield Fact("Reply", one["reply"], is_code=True)
    if one["server_proved_its_name"] is not None:
        yield Fact("Encryption on the way there", one["tls"] or "None")
        proved = "Yes" if one["server_proved_its_name"] else "No"
        yield Fact("That server proved its name by a certificate", proved)


def _audit(audit: dict[str, Any]) -> Iterator[Fact]:
    yield Fact("Position", f"{audit['position']:,}")
    yield Fact("Digest of the entry", audit["digest"], is_code=True)
    yield Fact("Digest of the entry before", audit["previous_digest"], is_code=True)
