"""Composes receipts: message disposition notifications (RFC 8098).

Only those that a reader sends by hand: none is ever automatic here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from engine.mail.address_list import NamedAddress
from engine.mail.composer import address_field, new_message_id
from engine.mail.dates import format_date
from engine.mail.header import HeaderBlock, new_field
from engine.mail.mime import entities
from engine.mail.mime.entities import Entity

_SUBJECT_LIMIT = 200


def compose_displayed(
    *, reader: NamedAddress, to: NamedAddress, original: HeaderBlock, reporting_ua: str
) -> bytes:
    """Returns the receipt for a message that its reader has opened (RFC 8098 §3)."""
    message_id = original.text("Message-ID").strip()
    subject = original.text("Subject")[:_SUBJECT_LIMIT]
    fields = [
        address_field("From", [reader]),
        address_field("To", [to]),
        new_field("Subject", f"Opened: {subject}".strip()),
        new_field("Date", format_date(datetime.now(UTC))),
        new_field("Message-ID", new_message_id(reader.address.domain)),
        # A program composed it, so that no other program answers it (RFC 3834 §5).
        new_field("Auto-Submitted", "auto-replied"),
        new_field("MIME-Version", "1.0"),
    ]
    if message_id:
        fields.append(new_field("In-Reply-To", message_id))
        fields.append(new_field("References", message_id))
    words = entities.text(
        f"Your message “{subject}” was displayed to {reader}.\n\n"
        "This does not say that it was read or understood.\n"
    )
    report = entities.multipart(
        "report",
        [words, _report(reader, message_id, reporting_ua)],
        **{"report-type": "disposition-notification"},
    )
    return Entity((*fields, *report.fields), report.body).to_bytes()


def _report(reader: NamedAddress, message_id: str, reporting_ua: str) -> Entity:
    lines = [
        new_field("Reporting-UA", reporting_ua),
        new_field("Final-Recipient", f"rfc822; {reader.address}"),
    ]
    if message_id:
        lines.append(new_field("Original-Message-ID", message_id))
    disposition = "manual-action/MDN-sent-manually; displayed"
    lines.append(new_field("Disposition", disposition))
    body = b"".join(line.raw for line in lines)
    return entities.verbatim("message/disposition-notification", body)
