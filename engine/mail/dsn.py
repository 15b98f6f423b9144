"""Composes and reads delivery status notifications (RFC 3461, RFC 3464, RFC 6533).

They go to the sender of a message, under the null sender themselves, and never for a
message from the null sender: two servers would notify each other endlessly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.mail import advice
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
# A message that is larger is given back as its header alone, whatever its sender asked.
MAX_RETURNED_BODY = 1024 * 1024

_OUTCOMES = {
    Action.DELIVERED: "Delivered",
    Action.RELAYED: "Passed on to a server that sends no reports",
    Action.EXPANDED: "Sent on to the people who read this address",
}

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
    the message's header; `envelope_id` is ENVID as given, in xtext. `body` is the
    message's body where the sender asked for the whole message back (RET=FULL, RFC 3461
    §4.3) and it is small enough, else None.
    """

    reporting_host: str
    reporter: NamedAddress
    sender: Address
    header: bytes
    arrived_at: datetime | None = None
    envelope_id: str = ""
    body: bytes | None = None


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
    is_relayed = any(one.action is Action.RELAYED for one in recipients)
    if is_relayed and any(one.action is not Action.RELAYED for one in recipients):
        opening = (
            "Your message has been delivered, or passed on, to the addresses below: "
            "what happened follows each address."
        )
    elif is_relayed:
        opening = (
            "Your message has been passed on to the server of the addresses below.\n"
            "That server does not report whether it was delivered."
        )
    else:
        opening = "Your message has been delivered to the addresses below."
    return _compose(
        notice, recipients, "Passed on" if is_relayed else "Delivered", opening
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
            _original(notice, returned),
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
    if outcome := _OUTCOMES.get(recipient.action):
        lines.append(f"    {outcome}")
    if recipient.diagnostic:
        lines.append(f"    The reason given: {recipient.diagnostic}")
    what_next = advice.of_reply(recipient.diagnostic) or advice.of_reply(
        recipient.status
    )
    if what_next and recipient.action in (Action.FAILED, Action.DELAYED):
        lines.append(f"    What to do: {what_next}")
    if recipient.retry_until:
        until = recipient.retry_until.strftime("%d/%m/%Y %H:%M %Z")
        lines.append(f"    We will try until: {until}")
    return "\n".join(lines)


def _thread(returned: HeaderBlock) -> Iterator[Field]:
    message_id = returned.text("Message-ID")
    if message_id:
        yield new_field("In-Reply-To", message_id[:250])
        yield new_field("References", message_id[:250])


def _original(notice: Notice, header: HeaderBlock) -> Entity:
    """Returns the message as it is given back: whole where that was asked, or its header."""
    if notice.body is None:
        return entities.verbatim("text/rfc822-headers", _returned(header))
    return entities.verbatim("message/rfc822", header.to_bytes() + notice.body)


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
