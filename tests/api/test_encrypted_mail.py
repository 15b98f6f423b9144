"""The API reads mail that is stored encrypted as it reads other mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from engine.registry.models import Organisation, Person
from engine.storage.models import Content, Message
from tests import encryption
from tests.api.conftest import Key


@pytest.fixture(autouse=True)
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


def test_a_message_is_sent_and_read(
    key: Key, northfield: Organisation, alice: Person, bob: Person
) -> None:
    call = key(northfield)
    sent = call(
        "POST",
        "/messages/",
        {
            "mailbox": bob.mailbox.pk,
            "to": [alice.address],
            "subject": "Bundle",
            "text": "It is attached.",
        },
    )

    copy = Message.objects.get(pk=sent.json()["id"])
    received = Message.objects.get(mailbox=alice.mailbox)
    assert {copy.content.format, received.content.format} == {Content.ENCRYPTED}
    raw = call("GET", f"/messages/{received.pk}/raw/").content
    assert b"Subject: Bundle" in raw and b"It is attached." in raw
    assert "It is attached." in call("GET", f"/messages/{copy.pk}/").json()["text"]
    listed = call("GET", f"/messages/?mailbox={alice.mailbox.pk}").json()
    assert listed["results"][0]["subject"] == "Bundle"
