"""Delivery status notifications (RFC 3461, RFC 3464, RFC 6533).

They go to the sender of a message with the null sender in their own envelope, and
never for a message whose sender is the null sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import address_field, new_message_id
from engine.mail.dates import format_date
from engine.mail.dsn_fields import (
    Action,
    DsnRecipient,
    from_xtext,
    read_recipients,
    recipient_fields,
)
from engine.mail.header import Field, HeaderBlock, new_field
from engine.mail.message import split
from engine.mail.mime import entities, parts
from engine.mail.mime.entities import Entity

# A notice about more recipients, or with a longer header, is cut here.
MAX_RECIPIENTS = 1000
MAX_RETURNED_OCTETS = 32 * 1024

__all__ = [
    "Action",
    "DsnRecipient",
    "Notice",
    "compose_delay",
    "compose_failure",
    "compose_success",
    "read",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """What all notices need: who reports, to whom, about which message.

    `header` is the header of the message; `envelope_id` is ENVID, as it was given.
    """

    reporting_host: str
    reporter: NamedAddress
    sender: Address
    header: bytes
    arrived_at: datetime | None = None
    envelope_id: str = ""


def compose_failure(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """The notice that a message has not reached the recipients and will not."""
    return _compose(
        notice,
        recipients,
        "Not delivered",
        "Your message could not be delivered to the people listed below.\n"
        "It will not be tried again.",
    )


def compose_delay(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """The notice that a message waits; nothing needs to be done."""
    return _compose(
        notice,
        recipients,
        "Delayed",
        "Your message has not yet reached the people listed below.\n"
        "You do not need to do anything: it will be tried again.",
    )


def compose_success(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """The notice of delivery that a sender asked for (NOTIFY=SUCCESS)."""
    return _compose(
        notice,
        recipients,
        "Delivered",
        "Your message has been delivered to the people listed below.",
    )


def read(raw: bytes) -> list[DsnRecipient]:
    """What the first status report in a message says; empty when there is none."""
    for part in parts.walk(*split(raw)):
        if part.content_type.endswith("delivery-status"):
            return list(read_recipients(part.data()))[:MAX_RECIPIENTS]
    return []


def _compose(
    notice: Notice, recipients: Sequence[DsnRecipient], outcome: str, opening: str
) -> bytes:
    recipients = recipients[:MAX_RECIPIENTS]
    returned = HeaderBlock.salvage(notice.header)
    report = entities.multipart(
        "report",
        [
            entities.text("\n\n".join([opening, *map(_in_words, recipients)])),
            _status(notice, recipients),
            entities.verbatim("text/rfc822-headers", _returned(returned)),
        ],
        **{"report-type": "delivery-status"},
    )
    fields = [
        address_field("From", [notice.reporter]),
        address_field("To", [NamedAddress("", notice.sender)]),
        new_field("Subject", f"{outcome}: {returned.text('Subject')[:200]}"),
        new_field("Date", format_date(datetime.now(UTC))),
        new_field("Message-ID", new_message_id(notice.reporter.address.domain)),
        *_thread(returned),
        new_field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
        new_field("MIME-Version", "1.0"),
    ]
    return Entity((*fields, *report.fields), report.body).to_bytes()


def _in_words(recipient: DsnRecipient) -> str:
    lines = [recipient.address]
    if recipient.diagnostic:
        lines.append(f"    The reason given: {recipient.diagnostic}")
    if recipient.retry_until:
        until = recipient.retry_until.strftime("%d/%m/%Y %H:%M %Z")
        lines.append(f"    It will be tried until: {until}")
    return "\n".join(lines)


def _thread(returned: HeaderBlock) -> Iterator[Field]:
    message_id = returned.text("Message-ID")
    if message_id:
        yield new_field("In-Reply-To", message_id[:250])
        yield new_field("References", message_id[:250])


def _returned(header: HeaderBlock) -> bytes:
    """The header of the message, as much of it as a notice may carry."""
    kept, room = [], MAX_RETURNED_OCTETS
    for field in header.fields:
        room -= len(field.raw)
        if room < 0:
            break
        kept.append(field)
    return HeaderBlock(tuple(kept)).to_bytes()


def _status(notice: Notice, recipients: Sequence[DsnRecipient]) -> Entity:
    fields = [new_field("Reporting-MTA", f"dns; {notice.reporting_host}")]
    if notice.envelope_id:
        envelope_id = from_xtext(notice.envelope_id)
        fields.insert(0, new_field("Original-Envelope-Id", envelope_id))
    if notice.arrived_at:
        fields.append(new_field("Arrival-Date", format_date(notice.arrived_at)))
    groups = [fields, *([*recipient_fields(recipient)] for recipient in recipients)]
    body = b"\r\n".join(b"".join(field.raw for field in group) for group in groups)
    return entities.verbatim("message/delivery-status", body)
