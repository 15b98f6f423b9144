"""Reads and writes the fields of a message/delivery-status part (RFC 3464 §2, 6533 §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.mail.address import Address
from engine.mail.dates import format_date, parse_date
from engine.mail.header import Field, HeaderBlock, new_field
from engine.mail.smtp_replies import Reply

_EMPTY_LINES = re.compile(rb"(?:\r?\n){2,}")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF_8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


class Action(StrEnum):
    """The outcome for a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class DsnRecipient:
    """What a notification reports about one recipient (RFC 3464 §2.3).

    `status` is an enhanced status code; `original` is ORCPT as given, in xtext;
    `diagnostic` is the reply of the server that decided and `remote_host` its name;
    `retry_until` is given for delays.
    """

    address: str
    action: Action
    status: str
    diagnostic: str = ""
    original: str = ""
    remote_host: str = ""
    retry_until: datetime | None = None

    @classmethod
    def of(
        cls,
        address: Address,
        reply: Reply,
        action: Action,
        *,
        original: str = "",
        remote_host: str = "",
        retry_until: datetime | None = None,
    ) -> DsnRecipient:
        """Returns the report on one recipient, from the reply that decided."""
        return cls(
            str(address),
            action,
            reply.enhanced or f"{reply.code // 100}.0.0",
            str(reply),
            original,
            remote_host,
            retry_until,
        )


def recipient_fields(recipient: DsnRecipient) -> Iterator[Field]:
    """Yields the group of fields for one recipient (RFC 3464 §2.3)."""
    if recipient.original:
        yield new_field("Original-Recipient", from_xtext(recipient.original))
    yield new_field("Final-Recipient", _typed(recipient.address))
    yield new_field("Action", recipient.action)
    yield new_field("Status", recipient.status)
    if recipient.remote_host:
        yield new_field("Remote-MTA", f"dns; {recipient.remote_host}")
    if recipient.diagnostic:
        yield new_field("Diagnostic-Code", f"smtp; {recipient.diagnostic}")
    if recipient.retry_until:
        yield new_field("Will-Retry-Until", format_date(recipient.retry_until))


def read_recipients(report: bytes) -> Iterator[DsnRecipient]:
    """Yields the recipients of a report; malformed groups of fields are skipped."""
    _, *groups = _EMPTY_LINES.split(report)
    for group in groups:
        fields = HeaderBlock.salvage(group)
        action = fields.text("Action").strip().lower()
        status = _STATUS.match(fields.text("Status"))
        if action in Action.__members__.values() and fields.get("Final-Recipient"):
            yield DsnRecipient(
                untyped(fields.text("Final-Recipient")),
                Action(action),
                status[0] if status else "",
                untyped(fields.text("Diagnostic-Code")),
                fields.text("Original-Recipient"),
                untyped(fields.text("Remote-MTA")),
                parse_date(fields.text("Will-Retry-Until")),
            )


def _typed(address: str) -> str:
    """Returns the address with its type, in ASCII: RFC 6533 §3 escapes the rest."""
    if address.isascii():
        return f"rfc822; {address}"
    spelt = (c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in address)
    return f"utf-8; {''.join(spelt)}"


def untyped(value: str) -> str:
    """Returns a value without the type in front of it: "rfc822; jane@firm.example"."""
    text = value.partition(";")[2] or value
    return _UTF_8_XTEXT.sub(_character, text.strip())


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number < 0x110000 and chr(number).isprintable() else "\ufffd"


def from_xtext(text: str) -> str:
    """Decodes xtext (RFC 3461 §4), in which +2B stands for a plus sign."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
