"""Messages to put into mailboxes and search for."""

from __future__ import annotations

import pytest

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.mail.message import split
from engine.registry.models import Mailbox, Person
from engine.storage import content, mailbox_delivery
from engine.storage.models import Message

SENDER = "jane@firm.example.secure.example"


@pytest.fixture
def mailbox(bob: Person) -> Mailbox:
    return bob.mailbox


def compose_message(**over: object) -> bytes:
    """Composes a message from Jane at Firm to Bob."""
    fields: dict[str, object] = {
        "sender": named_address("Jane Jones", SENDER),
        "to": [named_address("Bob", "bob@northfield.secure.example")],
        "subject": "Hearing on Monday",
        "text": "Please see the bundle.\n",
    }
    return compose(**(fields | over))


def named_address(name: str, address: str) -> NamedAddress:
    return NamedAddress(name, Address.parse(address))


def deliver(
    mailbox: Mailbox,
    raw: bytes = b"",
    *,
    sender: str = SENDER,
    requires_tls: bool = False,
) -> Message:
    """Delivers a message as the queue does."""
    kept = content.keep(*split(raw or compose_message()))
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
        requires_tls=requires_tls,
    )
    (message_id,) = mailbox_delivery.deliver([made])
    return Message.objects.get(pk=message_id)
