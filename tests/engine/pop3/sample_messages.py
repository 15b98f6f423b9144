"""Sample messages for mailboxes."""

from __future__ import annotations

from engine.mail.message import split
from engine.registry.models import Mailbox
from engine.storage import content, mailbox_delivery
from engine.storage.models import Message

SENDER = "jane@firm.example.secure.example"
RETURN_PATH = f"Return-Path: <{SENDER}>\r\n".encode()
# Two lines, of which one starts with a dot.
HEADER = b"From: <jane@firm.example.secure.example>\r\nSubject: Bundle\r\n\r\n"
BODY = b"Hello\r\n.dotted\r\n"


def deliver(
    mailbox: Mailbox, raw: bytes = HEADER + BODY, sender: str = SENDER
) -> Message:
    """Delivers a message to the inbox."""
    kept = content.keep(*split(raw))
    row = content.row(kept)
    row.save()
    made = mailbox_delivery.Delivery(
        mailbox.pk,
        row.pk,
        row.size,
        sender,
        mailbox_delivery.summary_of(kept.header),
        kept.header,
        kept.has_attachments,
        kept.key,
    )
    (message_id,) = mailbox_delivery.deliver([made])
    return Message.objects.get(pk=message_id)
