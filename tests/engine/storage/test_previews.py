from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.registry.models import Person
from engine.storage import encrypting, previews
from engine.storage.models import Content, Message
from engine.storage.search import indexer
from tests import encryption
from tests.engine.storage.conftest import compose_message, deliver

pytestmark = pytest.mark.django_db


def shown(message: Message) -> str:
    holder = message.content_holder
    found = Message.objects.get(pk=message.pk)
    return previews.of_messages([found], holder=holder)[message.pk]


def test_a_preview_is_encrypted_where_its_message_is(
    bob: Person, settings: Settings
) -> None:
    old = deliver(bob.mailbox, compose_message())
    assert shown(old)
    switch = encryption.switched_on(settings)
    next(switch)
    new = deliver(bob.mailbox, compose_message())
    assert shown(new) == shown(old)
    hidden = Message.objects.get(pk=new.pk).preview
    assert shown(old).encode() not in bytes(hidden or b"")

    Content.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert sum(encrypting.encrypt_all()) == 1

    assert Message.objects.get(pk=old.pk).preview is None
    assert shown(old) == shown(new)
    next(switch, None)


def test_the_index_makes_the_preview_of_a_message_too_large_to_wait_for(
    bob: Person,
) -> None:
    filler = b"word " * (previews.WHILE_WAITING // 4)
    head = b"From: <jane@firm.example>\r\nSubject: Long\r\n\r\n"
    long = deliver(bob.mailbox, head + b"The beginning. " + filler)
    found = Message.objects.get(pk=long.pk)
    assert previews.of_messages([found], holder=long.content_holder) == {}

    indexer.index_waiting()

    assert shown(long).startswith("The beginning. word")
    assert len(shown(long)) <= previews.LENGTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> quoted\n\nThe answer", "The answer"),
        ("> quoted only", "> quoted only"),
        ("On Monday, Jane Jones wrote:\n> old\nYes", "Yes"),
        ("\u202ereversed\u0000\u200b  \n end", "reversed end"),
        ("", ""),
    ],
)
def test_a_preview_begins_with_what_its_writer_says(text: str, expected: str) -> None:
    assert previews.beginning(text) == expected
