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


def test_no_preview_of_a_message_is_left_plain_that_is_encrypted_meanwhile(
    bob: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = deliver(bob.mailbox, compose_message())
    Content.objects.update(created_at=timezone.now() - timedelta(days=1))
    switch = encryption.switched_on(settings)
    next(switch)
    beginning = previews.beginning

    def encrypt_first(text: str) -> str:
        assert sum(encrypting.encrypt_all()) == 1
        return beginning(text)

    with monkeypatch.context() as patch:
        patch.setattr(previews, "beginning", encrypt_first)
        assert shown(old)

    assert Message.objects.get(pk=old.pk).preview is None
    assert shown(old)
    assert bytes(Message.objects.get(pk=old.pk).preview or b"")[:1] == (
        previews.ENCRYPTED
    )
    next(switch, None)


def test_the_job_makes_the_previews_of_long_messages_and_of_those_indexed_before(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "WHILE_WAITING", 10)
    monkeypatch.setattr(indexer, "CHUNK", 2)
    earlier = [deliver(bob.mailbox, compose_message()) for _ in range(5)]
    Message.objects.update(is_indexed=True)
    long = deliver(bob.mailbox, compose_message(text="word " * 500))
    monkeypatch.setattr(indexer, "CHUNK_OCTETS", long.size - 1)

    indexer.index_waiting()

    assert all(shown(one) for one in (long, *earlier))


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
