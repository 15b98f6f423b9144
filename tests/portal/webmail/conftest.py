from __future__ import annotations

import pytest
from django.test import Client

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from tests import factories
from tests.portal.conftest import SignIn

PDF = Attachment("Bundle.pdf", "application/pdf", b"%PDF-1.7 \x00\x01 bundle")


@pytest.fixture
def as_alice(signed_in: SignIn, alice: Person) -> Client:
    return signed_in(alice, second_factor=True)


@pytest.fixture
def as_bob(signed_in: SignIn, bob: Person) -> Client:
    return signed_in(bob)


@pytest.fixture
def team(northfield: Organisation) -> Mailbox:
    """A group mailbox of Northfield without grants."""
    return factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield, name="Listing office"
    )


def store_message(
    mailbox: Mailbox,
    raw: bytes = b"",
    role: FolderRole = FolderRole.INBOX,
    **over: object,
) -> Message:
    """Stores a message in a mailbox: `raw`, or one composed from `over`."""
    is_read = bool(over.pop("is_read", False))
    return message_actions.append(
        folder(mailbox, role), raw or compose_message(**over), is_read=is_read
    )


def compose_message(**over: object) -> bytes:
    """Composes a message from Jane at Firm to Alice."""
    fields: dict[str, object] = {
        "sender": named_address("Jane Jones", "jane@firm.example.secure.example"),
        "to": [named_address("Alice", "alice@northfield.secure.example")],
        "subject": "Hearing on Monday",
        "text": "Please see the bundle.\n",
    }
    return compose(**(fields | over))


def compose_html(markup: str, **over: object) -> bytes:
    """Composes a message with an HTML part only."""
    raw = compose_message(text="UNUSED", **over)
    head, _, _ = raw.partition(b"Content-Type:")
    return (
        head
        + b"Content-Type: text/html; charset=utf-8\r\n"
        + b"Content-Transfer-Encoding: 8bit\r\n\r\n"
        + markup.encode()
    )


def named_address(name: str, address: str) -> NamedAddress:
    return NamedAddress(name, Address.parse(address))
