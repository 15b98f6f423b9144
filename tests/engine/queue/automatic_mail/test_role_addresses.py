from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.automatic_mail import forwards_and_replies
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Posting
from engine.storage import out_of_office
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from portal.organisation.mail import trace_visibility
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

POSTMASTER = "postmaster@northfield.secure.example"


def test_mail_reaches_each_administrator_and_nobody_else(
    queue, northfield, alice, bob, charlie, read
):
    anna = factories.make_person("anna@northfield.secure.example", northfield)
    factories.make_mailbox(anna)
    factories.make_administrator(anna)
    reference = queue.send(charlie.address, POSTMASTER, "abuse" + POSTMASTER[10:])

    queue.run()
    queue.run()

    [to_alice], [to_anna] = queue.inbox(alice), queue.inbox(anna)
    assert to_alice.content_id == to_anna.content_id
    assert queue.inbox(bob) == []
    assert read(to_alice).endswith(b"\r\n\r\nHello\r\n")
    header = HeaderBlock.parse(split(read(to_alice))[0])
    assert header.text("X-Loop") == POSTMASTER
    assert header.get("List-Id") is None
    sent = Recipient.objects.filter(message__reference=reference)
    assert {one.status for one in sent} == {RecipientStatus.EXPANDED}


def test_a_notice_reaches_them_too(queue, alice):
    queue.send("", POSTMASTER, source=Source.SYSTEM)

    queue.run()
    queue.run()

    assert len(queue.inbox(alice)) == 1


def test_the_senders_organisation_learns_nothing_of_them(queue, alice, charlie):
    """Neither from a report, which it asked for, nor from the trace."""
    reference = queue.send(charlie.address, POSTMASTER, notify="SUCCESS,FAILURE")

    queue.run()
    queue.run()

    [report] = queue.inbox(charlie)
    copy = QueuedMessage.objects.get(source=Source.LIST)
    for made in (reference, copy.reference):
        seen = trace_visibility.visible_events(
            list(Event.objects.filter(reference=made).order_by("pk")),
            charlie.organisation,
        )
        assert alice.address not in str([(e.recipient, e.detail) for e in seen])
    assert report.envelope_sender == ""
    expanded = Event.objects.get(reference=reference, kind=EventKind.EXPANDED)
    assert "members" not in expanded.detail
    shown = timeline.step(expanded, timeline.Visibility.MEMBER)
    assert shown.text == "Sent on to the people who read this address"
    assert len(queue.inbox(alice)) == 1


def test_the_report_names_the_address_that_was_written_to(queue, alice, charlie, read):
    queue.send(charlie.address, POSTMASTER, notify="SUCCESS")

    queue.run()
    queue.run()

    [report] = queue.inbox(charlie)
    assert alice.address.encode() not in read(report)
    assert f"Final-Recipient: rfc822; {POSTMASTER}".encode() in read(report)


def test_no_absence_of_theirs_is_told(queue, alice, charlie):
    since = timezone.now() - timedelta(days=1)
    out_of_office.turn_on(
        alice.mailbox, starts_at=since, ends_at=None, subject="", text="Away\n"
    )
    raw = f"From: {charlie.address}\r\nTo: {POSTMASTER}\r\n\r\nHello\r\n".encode()
    queue.send(charlie.address, POSTMASTER, raw=raw)

    queue.run()
    queue.run()

    forwards_and_replies.send_due()
    queue.run()
    assert len(queue.inbox(alice)) == 1
    assert queue.inbox(charlie) == []


def test_a_circle_of_forwards_is_broken(queue, northfield, alice, bob, charlie):
    """An administrator's own address leads back to the postmaster's."""
    factories.make_list("all@northfield.secure.example", northfield, POSTMASTER)
    raw = f"X-Loop: {POSTMASTER}\r\nFrom: {bob.address}\r\n\r\nHello\r\n".encode()
    queue.send(bob.address, POSTMASTER, raw=raw)

    queue.run()

    assert queue.inbox(alice) == []
    assert Recipient.objects.get(address=POSTMASTER).last_reply.startswith("554 5.4.6")


def test_a_list_sends_on_to_a_neighbours_postmaster(queue, northfield, bob, charlie):
    factories.make_list(
        "all@northfield.secure.example",
        northfield,
        "postmaster@harbour.secure.example",
        posting=Posting.COMMUNITY,
    )
    queue.send(bob.address, "all@northfield.secure.example")

    for _ in range(3):
        queue.run()

    assert len(queue.inbox(charlie)) == 1


def test_a_server_that_knows_no_postmaster_leaves_it_to_the_administrators(
    queue, hop, firm, firm_connection, bob
):
    hop.rcpt_replies["postmaster@firm.example"] = ["550 5.1.1 No such person"]
    factories.make_administrator(factories.make_person(JANE, firm))
    reference = queue.send(bob.address, "postmaster@firm.example.secure.example")

    queue.run()
    queue.run()

    [received] = hop.received
    assert received.recipients == ["jane@firm.example"]
    assert received.sender == "postmaster-bounces@firm.example.secure.example"
    assert queue.status(reference) is RecipientStatus.EXPANDED
    assert queue.inbox(bob) == []
    traced = Event.objects.get(reference=reference, kind=EventKind.EXPANDED)
    assert traced.detail["refused"] == "550 5.1.1 No such person"


def test_a_server_that_knows_its_postmaster_gets_the_mail_itself(
    queue, hop, firm, firm_connection, bob
):
    factories.make_administrator(factories.make_person(JANE, firm))
    queue.send(bob.address, "postmaster@firm.example.secure.example")

    queue.run()

    [received] = hop.received
    assert received.recipients == ["postmaster@firm.example"]


def test_what_nobody_at_a_server_takes_comes_back(queue, hop, firm_connection, bob):
    hop.rcpt_replies["postmaster@firm.example"] = ["550 5.1.1 No such person"]
    reference = queue.send(bob.address, "postmaster@firm.example.secure.example")

    queue.run()
    queue.run()

    assert queue.status(reference) is RecipientStatus.FAILED
    assert len(queue.inbox(bob)) == 1


@pytest.mark.parametrize(
    "reply", ["552 5.3.4 Too big", "550 5.7.1 Spam", "554 No thanks"]
)
def test_what_a_server_refuses_for_another_reason_comes_back(
    queue, hop, firm, firm_connection, bob, reply
):
    hop.rcpt_replies["postmaster@firm.example"] = [reply]
    factories.make_administrator(factories.make_person(JANE, firm))
    reference = queue.send(bob.address, "postmaster@firm.example.secure.example")

    queue.run()
    queue.run()

    assert hop.received == []
    assert queue.status(reference) is RecipientStatus.FAILED
    assert len(queue.inbox(bob)) == 1
