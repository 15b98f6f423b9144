"""Indexing what was accepted, finding it again, and saying how far it got."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from engine.database import clock
from engine.incidents import key_index, reach, search
from engine.incidents.message_keys import Kind
from engine.incidents.models import KeyIndex, MessageKey
from engine.queue.models import QueuedMessage
from engine.registry.errors import PolicyError
from engine.registry.models import Posting
from engine.storage.models import Content, FirstUse, Message
from engine.trace.models import Event
from tests import encryption, factories
from tests.engine.incidents.conftest import criteria, found
from tests.engine.incidents.test_message_keys import HEADER, PDF, TWO_FILES
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db
RAW = b"".join(TWO_FILES)
DIGEST = hashlib.sha256(PDF).hexdigest()


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def stored(request: pytest.FixtureRequest, settings: Settings) -> Iterator[bool]:
    """Whether what is stored is encrypted."""
    if request.param:
        on = encryption.switched_on(settings)
        next(on)
        yield True
        next(on, None)
    else:
        yield False


def test_a_message_is_found_by_each_thing_and_by_all(queue, stored, alice, bob):
    reference = queue.send(bob.address, alice.address, raw=RAW)
    queue.send(bob.address, alice.address)
    key_index.index_new()

    assert found(file=DIGEST) == [reference]
    assert found(message_id="<1@b.example>")[0] == reference
    assert found(subject="the BUNDLE")[0] == reference
    assert found(sender="jane@firm.example") == [reference]
    assert reference in found(sender=bob.address)
    assert found(sender=bob.address, file=DIGEST) == [reference]
    assert found(sender=alice.address, file=DIGEST) == []


def test_a_sender_is_found_in_either_form(queue, hop, firm_connection, bob):
    reference = queue.send(JANE, bob.address)
    key_index.index_new()

    assert found(sender="jane@firm.example") == [reference]


def test_a_span_leaves_out_what_is_before_and_after(queue, alice, bob):
    queue.send(bob.address, alice.address)
    key_index.index_new()
    wanted = criteria(subject="bundle")
    now = clock.now()
    day = timedelta(days=1)

    assert not search.find(wanted.keys, now - 2 * day, now - day).exists()
    assert not search.find(wanted.keys, now + day, now + 2 * day).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "at least one thing"),
        ({Kind.FILE: "abc"}, "SHA-256"),
        ({Kind.SENDER: "jane"}, "whole address"),
    ],
)
def test_what_cannot_be_searched_for_is_said(typed, said):
    now = clock.now()
    with pytest.raises(PolicyError, match=said):
        search.criteria(typed, since=now - timedelta(days=1), until=now)


def test_a_span_is_bounded():
    now = clock.now()
    with pytest.raises(PolicyError, match="a year"):
        search.criteria({Kind.SUBJECT: "x"}, since=now - timedelta(days=400), until=now)


def test_each_message_is_indexed_once_and_in_steps(queue, alice, bob, monkeypatch):
    monkeypatch.setattr(key_index, "STEP", 2)
    for _ in range(5):
        queue.send(bob.address, alice.address)

    key_index.index_new()
    count = MessageKey.objects.count()
    assert key_index.index_new() == 0

    assert MessageKey.objects.count() == count
    assert len(found(subject="bundle")) == 5
    assert KeyIndex.objects.get().until > KeyIndex.objects.get().since


def test_what_may_be_overtaken_waits(queue, alice, bob, monkeypatch):
    """A message whose id is lower may be committed after one that is seen already."""
    monkeypatch.setattr(key_index, "LAG", timedelta(seconds=10))
    queue.send(bob.address, alice.address)

    assert key_index.index_new() == 0

    QueuedMessage.objects.update(accepted_at=clock.now() - timedelta(seconds=11))
    assert key_index.index_new() == 1


def test_a_message_that_cannot_be_read_stops_no_other(queue, alice, bob):
    large = HEADER + b"\r\n" + b"line\r\n" * 20_000
    lost = queue.send(bob.address, alice.address, raw=large)
    Content.objects.exclude(blob_key="").update(
        blob_key="00/gone", has_attachments=None
    )
    reference = queue.send(bob.address, alice.address, raw=RAW)

    key_index.index_new()

    assert found(subject="the bundle") == [lost, reference]


def test_old_keys_are_deleted(queue, alice, bob, settings):
    queue.send(bob.address, alice.address)
    key_index.index_new()
    days = settings.POSTERN.trace_days
    MessageKey.objects.update(at=clock.now() - timedelta(days=days + 1))

    assert key_index.purge()
    assert not MessageKey.objects.exists()


def test_how_far_it_got(
    queue,
    hop,
    firm_connection,
    northfield,
    alice,
    bob,
    charlie,
    django_assert_num_queries,
):
    factories.make_list(
        "all@northfield.secure.example",
        northfield,
        alice.address,
        posting=Posting.COMMUNITY,
    )
    reference = queue.send(
        charlie.address,
        alice.address,
        bob.address,
        JANE,
        "all@northfield.secure.example",
    )
    waiting = queue.send(charlie.address, JANE)
    uses = {alice: FirstUse.OPENED, bob: FirstUse.FETCHED}
    for person, use in uses.items():
        Message.objects.filter(mailbox__owner=person).update(first_use=use)
    before = reach.of([reference, waiting])[reference]
    assert (before.waiting, before.servers) == (2, 0)
    queue.run(until_nothing_is_due=True)

    with django_assert_num_queries(4):
        after = reach.of([reference, waiting])[reference]

    assert (after.opened, after.fetched, after.unopened) == (1, 1, 0)
    assert (after.servers, after.lists, after.waiting) == (1, 1, 0)
    assert (after.sender, after.recipients) == (charlie.address, 4)
    Message.objects.all().delete()
    assert reach.of([reference])[reference].erased == 2
    Event.objects.filter(recipient=bob.address).update(detail={})
    # An earlier version did not note which copy it was.
    assert reach.of([reference])[reference].erased == 1


@pytest.mark.parametrize(
    ("first_use", "is_read", "was_used"),
    [
        ("", False, False),
        ("", True, True),
        (FirstUse.UNKNOWN, False, False),
        (FirstUse.UNKNOWN, True, True),
        (FirstUse.FETCHED, False, True),
    ],
)
def test_what_was_read_was_used(first_use, is_read, was_used):
    # A process of an earlier version notes its reading alone.
    assert reach.was_used(Message(first_use=first_use, is_read=is_read)) is was_used
