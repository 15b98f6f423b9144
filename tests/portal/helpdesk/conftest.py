from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions as storage
from engine.storage.models import Message
from engine.storage.standard_folders import inbox
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Source
from tests.portal.conftest import SignIn

OpenTicket = Callable[..., Ticket]


@pytest.fixture
def open_ticket(helpdesk: Mailbox) -> OpenTicket:
    """Opens a ticket by form, as a person."""

    def create(person: Person, /, **over: object) -> Ticket:
        fields = {
            "subject": "My message came back",
            "text": "I wrote to Jane and it came back.",
            "address": person.address,
            "name": person.name,
            "person": person,
        }
        source = over.pop("source", Source.FORM)
        return tickets.open_ticket(
            Question(**(fields | over)), source=source, by=person
        )

    return create


@pytest.fixture
def as_bob(signed_in: SignIn, bob: Person) -> Client:
    return signed_in(bob)


def deliver_mail(helpdesk: Mailbox, sender: str, **over: object) -> Message:
    """Puts a message to the helpdesk into its mailbox."""
    envelope_sender = over.pop("envelope_sender", sender)
    to = over.pop("to", Address.parse(helpdesk.address))
    fields: dict[str, object] = {
        "sender": NamedAddress("", Address.parse(sender)),
        "to": [NamedAddress("", to)],
        "subject": "I cannot sign in",
        "text": "My code is refused.\n",
    }
    raw = over.pop("raw", None) or compose(**(fields | over))
    message = storage.append(inbox(helpdesk), raw, is_read=False)
    Message.objects.filter(pk=message.pk).update(envelope_sender=envelope_sender)
    return message
