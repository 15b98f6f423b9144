from __future__ import annotations

import pytest

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.storage.models import Content
from engine.trace.models import Event, EventKind
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

LIST = "duty@northfield.secure.example"


@pytest.fixture
def duty(northfield, alice, bob, charlie):
    return factories.make_list(LIST, northfield, alice.address, charlie.address)


def test_message_reaches_every_member_with_one_stored_copy(
    queue, duty, alice, bob, charlie
):
    reference = queue.send(bob.address, LIST)

    queue.run()

    [to_alice], [to_charlie] = queue.inbox(alice), queue.inbox(charlie)
    assert to_alice.content_id == to_charlie.content_id
    assert Content.objects.count() == 2  # as written, and as the list sends it on
    assert queue.status(reference) is RecipientStatus.EXPANDED


def test_large_body_is_not_stored_again(queue, duty, alice, bob):
    raw = b"From: a@b.example\r\n\r\n" + b"line\r\n" * 50_000
    queue.send(bob.address, LIST, raw=raw)

    queue.run()

    assert Content.objects.values("blob_key").distinct().count() == 1


def test_list_adds_its_header_and_touches_nothing_else(queue, duty, alice, bob, read):
    queue.send(bob.address, LIST)

    queue.run()

    raw = read(queue.inbox(alice)[0])
    assert raw.startswith(
        b"List-Id: <duty.northfield.secure.example>\r\n"
        b"List-Post: <mailto:duty@northfield.secure.example>\r\n"
        b"Precedence: list\r\n"
        b"X-Loop: duty@northfield.secure.example\r\n"
        b"From: a@b.example\r\n"
    )
    assert raw.endswith(b"\r\n\r\nHello\r\n")


def test_member_on_a_server_gets_it_from_the_bounce_address(
    queue, northfield, hop, firm_connection, bob
):
    factories.make_list(LIST, northfield, JANE)
    queue.send(bob.address, LIST)

    queue.run()
    queue.run()

    [received] = hop.received
    assert received.recipients == ["jane@firm.example"]
    assert received.sender == "duty-bounces@northfield.secure.example"


def test_refusal_by_a_member_reaches_neither_crowd_nor_author(
    queue, northfield, hop, firm_connection, alice, bob
):
    hop.answers["jane@firm.example"] = ["550 5.1.1 No such person"]
    factories.make_list(LIST, northfield, JANE, alice.address)
    queue.send(bob.address, LIST)

    queue.run()
    queue.run()

    assert Recipient.objects.get(address=JANE).status == RecipientStatus.FAILED
    assert len(queue.inbox(alice)) == 1
    assert queue.inbox(bob) == []
    assert not QueuedMessage.objects.filter(source=Source.DSN).exists()


def test_list_inside_a_list_is_expanded_and_a_circle_is_broken(
    queue, northfield, alice, bob
):
    outer, inner = LIST, "inner@northfield.secure.example"
    factories.make_list(outer, northfield, inner)
    factories.make_list(inner, northfield, outer, alice.address)
    queue.send(bob.address, outer)

    for _ in range(5):
        queue.run()

    assert len(queue.inbox(alice)) == 1
    failed = Recipient.objects.get(status=RecipientStatus.FAILED)
    assert failed.address == outer
    assert failed.last_reply.startswith("554 5.4.6")


def test_member_who_left_is_passed_over_and_traced(queue, northfield, alice, bob):
    factories.make_list(LIST, northfield, "gone@northfield.secure.example")
    factories.make_list(
        "both@northfield.secure.example",
        northfield,
        "gone@northfield.secure.example",
        alice.address,
    )
    nobody = queue.send(bob.address, LIST)
    somebody = queue.send(bob.address, "both@northfield.secure.example")

    queue.run()

    assert queue.status(nobody) is RecipientStatus.FAILED
    assert len(queue.inbox(alice)) == 1
    gone = Event.objects.get(
        reference=somebody, recipient="gone@northfield.secure.example"
    )
    assert gone.kind == EventKind.FAILED


def test_suspending_the_author_holds_the_copies_too(
    queue, northfield, hop, firm_connection, charlie
):
    factories.make_list(LIST, northfield, JANE)
    queue.send(charlie.address, LIST)
    queue.run()
    charlie.organisation.status = "suspended"
    charlie.organisation.save()

    queue.run()

    assert Recipient.objects.get(address=JANE).status == RecipientStatus.HELD
