"""Mail sent with REQUIRETLS goes on with it, or comes back (RFC 8689)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.mail import dsn
from engine.queue.automatic_mail import forwards_and_replies
from engine.queue.models import QueuedMessage, RecipientStatus
from engine.storage import out_of_office, rules
from engine.storage.models import Rule
from engine.trace.models import Event, EventKind
from tests import factories
from tests.engine.queue.conftest import JANE
from tests.engine.queue.delivery.test_relay import untrusted_context
from tests.next_hop import RequiringTls

pytestmark = pytest.mark.django_db

LIST = "duty@northfield.secure.example"
LAX = b"TLS-Required: No\r\nFrom: a@b.example\r\nSubject: x\r\n\r\nSecret words\r\n"


@pytest.fixture
def strict_hop(make_hop, firm):
    """The mail server of Firm, which takes REQUIRETLS."""
    hop = make_hop("mail.firm.example", protocol=RequiringTls)
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    return hop


def options(hop):
    return [
        (one.sender or "<>", "REQUIRETLS" in one.mail_options) for one in hop.received
    ]


def test_the_keyword_is_passed_on_for_the_messages_that_have_it(queue, strict_hop, bob):
    queue.send(bob.address, JANE)
    strict = queue.send(bob.address, JANE, requires_tls=True)
    queue.send("", JANE, requires_tls=True)
    queue.send(bob.address, JANE)

    queue.run(until_nothing_is_due=True)

    asked = sorted(options(strict_hop))
    assert asked == [("<>", True), *((bob.address, b) for b in (False, False, True))]
    kinds = {EventKind.RECEIVED: "asked for", EventKind.RELAYED: "passed on"}
    traced = Event.objects.filter(reference=strict, kind__in=kinds)
    assert {one.kind: one.detail["requires_tls"] for one in traced} == kinds


def test_without_it_at_the_next_hop_the_message_comes_back_without_its_body(
    queue, hop, firm_connection, bob, read
):
    reference = queue.send(bob.address, JANE, requires_tls=True, wants_full=True)
    plain = queue.send(bob.address, JANE)

    queue.run()

    assert queue.status(reference) is RecipientStatus.FAILED
    assert queue.status(plain) is RecipientStatus.RELAYED
    [notice] = queue.inbox(bob)
    [about] = dsn.read(read(notice))
    assert about.status == "5.7.30"
    said = b" ".join(read(notice).split())
    assert b"What to do: The message asks that each server" in said
    assert b"text/rfc822-headers" in said
    assert b"Hello" not in said
    sent = QueuedMessage.objects.get(source="dsn")
    assert (sent.sender, sent.requires_tls) == ("", True)


def test_a_notice_goes_over_verified_tls_rather_than_be_lost(
    queue, hop, firm_connection, bob
):
    reference = queue.send("", JANE, requires_tls=True)

    queue.run()

    assert options(hop) == [("<>", False)]
    event = Event.objects.get(reference=reference, kind=EventKind.RELAYED)
    assert event.detail["requires_tls"] == "not supported"


@pytest.mark.parametrize("requires_tls", [True, False])
def test_no_header_weakens_the_verification(
    queue, make_hop, firm, bob, tmp_path, requires_tls
):
    context = untrusted_context(tmp_path)
    hop = make_hop("mail.firm.example", context=context, protocol=RequiringTls)
    factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )
    reference = queue.send(bob.address, JANE, raw=LAX, requires_tls=requires_tls)

    queue.run()

    assert hop.received == []
    assert queue.status(reference) is RecipientStatus.QUEUED


def test_a_list_sends_on_with_it(queue, northfield, strict_hop, bob):
    factories.make_list(LIST, northfield, JANE)
    queue.send(bob.address, LIST, requires_tls=True)

    queue.run(until_nothing_is_due=True)

    assert options(strict_hop) == [("duty-bounces@northfield.secure.example", True)]


@pytest.mark.parametrize("notify", ["", "SUCCESS"], ids=["at once", "by the runner"])
def test_forwards_and_automatic_replies_have_it_too(
    queue, strict_hop, alice, bob, notify
):
    rules.save(
        Rule(mailbox=bob.mailbox, name="On", subject_contains="x", forward_to=JANE),
        by=bob,
    )
    out_of_office.turn_on(
        bob.mailbox,
        starts_at=timezone.now() - timedelta(days=1),
        ends_at=None,
        subject="",
        text="Away.\n",
    )
    raw = f"From: {JANE}\r\nTo: {bob.address}\r\nSubject: x\r\n\r\nx\r\n".encode()
    queue.send(JANE, bob.address, raw=raw, requires_tls=True, notify=notify)
    queue.run()

    forwards_and_replies.send_due()
    queue.run(until_nothing_is_due=True)

    assert set(options(strict_hop)) == {("<>", True), (bob.address, True)}
