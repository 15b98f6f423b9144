"""Composes and reads delivery status notifications (RFC 3461, RFC 3464, RFC 6533).

They go to the sender of a message, under the null sender themselves, and never for a
message from the null sender: two servers would notify each other endlessly.
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
from engine.mail.mime import entities
from engine.mail.mime.entities import Entity
from engine.mail.mime.part_walker import walk

# A notification about more recipients, or with a longer header, is cut here.
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
    """The facts common to all notifications: reporting server, recipient and message.

    `sender` is the sender of the message, and receives the notification. `header` is
    the message's header; `envelope_id` is ENVID as given, in xtext.
    """

    reporting_host: str
    reporter: NamedAddress
    sender: Address
    header: bytes
    arrived_at: datetime | None = None
    envelope_id: str = ""


def compose_failure(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """Composes the notification that a message was not delivered and will not be."""
    return _compose(
        notice,
        recipients,
        "Not delivered",
        "Your message could not be delivered to the addresses below.\n"
        "We will not try again. The reason follows each address.",
    )


def compose_delay(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """Composes the notification that delivery is delayed and will be tried again."""
    return _compose(
        notice,
        recipients,
        "Delayed",
        "Your message has not yet been delivered to the addresses below.\n"
        "You do not need to do anything: we will keep trying.",
    )


def compose_success(notice: Notice, recipients: Sequence[DsnRecipient]) -> bytes:
    """Composes the notification of delivery that a sender asks for (NOTIFY=SUCCESS)."""
    return _compose(
        notice,
        recipients,
        "Delivered",
        "Your message has been delivered to the addresses below.",
    )


def read(raw: bytes) -> list[DsnRecipient]:
    """Returns what the first status report in a message says; empty without one."""
    for part in walk(*split(raw)):
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
        lines.append(f"    We will try until: {until}")
    return "\n".join(lines)


def _thread(returned: HeaderBlock) -> Iterator[Field]:
    message_id = returned.text("Message-ID")
    if message_id:
        yield new_field("In-Reply-To", message_id[:250])
        yield new_field("References", message_id[:250])


def _returned(header: HeaderBlock) -> bytes:
    """Returns as much of the message's header as a notification may carry."""
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
