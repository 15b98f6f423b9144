"""Webmail reads mail that is stored encrypted as it reads other mail."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from engine.registry.models import Person
from engine.storage.models import Content, Message
from portal.webmail.drafts import attachments
from tests import encryption
from tests.portal.webmail.conftest import PDF, store_message


@pytest.fixture(autouse=True)
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


@pytest.fixture
def message(bob: Person) -> Message:
    found = store_message(
        bob.mailbox, text="The bundle is attached.", attachments=[PDF]
    )
    assert found.content.format == Content.ENCRYPTED
    return found


@pytest.mark.parametrize(
    ("view", "has"),
    [
        ("read", b"The bundle is attached."),
        ("print", b"The bundle is attached."),
        ("source", b"Message-ID"),
        ("original", b"Message-ID"),
    ],
)
def test_every_view_of_a_message(
    as_bob: Client, message: Message, view: str, has: bytes
) -> None:
    page = as_bob.get(reverse(f"webmail:{view}", args=[message.pk]))

    assert page.status_code == 200
    assert has in page.content


def test_a_message_that_was_changed_in_the_store_says_so(
    as_bob: Client, message: Message
) -> None:
    as_bob.raise_request_exception = False
    body = bytearray(message.content.body or b"")
    body[20] ^= 1
    Content.objects.update(body=bytes(body))

    page = as_bob.get(reverse("webmail:read", args=[message.pk]))

    assert page.status_code == 500
    assert b"cannot be decrypted" in page.content


def test_a_drafts_file_is_read_back(bob: Person) -> None:
    token = uuid4()
    upload = attachments.Upload(PDF.name, PDF.content_type, [PDF.data])

    kept = attachments.add(upload, mailbox=bob.mailbox, token=token, by=bob)

    assert kept.content.format == Content.ENCRYPTED
    [loaded], _ = attachments.load(bob.mailbox, token)
    assert loaded.data == PDF.data
