from __future__ import annotations

import pytest
from django_q.models import OrmQ

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.database import clock
from engine.jobs import worker
from engine.jobs.models import JobRun
from engine.lanes import Lane
from engine.mail.header import HeaderBlock
from engine.queue.models import QueuedMessage
from engine.registry.models import Mailbox, Person
from engine.storage import content
from engine.storage.models import Message
from engine.trace.models import Event
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import reply_message, tasks
from portal.helpdesk.status import EntryKind, Status
from tests.portal.helpdesk.conftest import OpenTicket


@pytest.fixture
def reply(open_ticket: OpenTicket, bob: Person, hugh: Person) -> Entry:
    ticket = open_ticket(bob)
    return tickets.answer(
        ticket,
        "Try the other code.",
        status=Status.WAITING_FOR_REQUESTER,
        seen=ticket.entries.latest("pk").pk,
        by=hugh,
    )


def received(mailbox: Mailbox) -> tuple[HeaderBlock, str]:
    raw = content.read(Message.objects.filter(mailbox=mailbox).latest("pk"))
    head, _, body = raw.partition(b"\r\n\r\n")
    return HeaderBlock.parse(head + b"\r\n"), body.decode()


def test_a_reply_reaches_the_requester_with_the_way_back(
    reply: Entry, bob: Person
) -> None:
    reply_message.send(reply.pk)

    header, body = received(bob.mailbox)
    ticket = reply.ticket
    assert str(ticket_links.reply_address(ticket)) in header.text("Reply-To")
    assert "helpdesk@secure.example" in header.text("From")
    assert header.text("Subject") == f"[{ticket.number}] My message came back"
    assert body.startswith("Try the other code.\r\n")
    assert "> I wrote to Jane and it came back." in body
    assert ticket_links.own_url(ticket) in body
    reply.refresh_from_db()
    assert Event.objects.filter(reference=reply.reference, kind="delivered").exists()


def test_a_reply_sent_twice_arrives_once(reply: Entry, bob: Person) -> None:
    reply_message.send(reply.pk)
    reply_message.send(reply.pk)
    # As after a crash between the queue's commit and the ticket's
    Entry.objects.filter(pk=reply.pk).update(reference="")
    reply_message.send(reply.pk)

    assert Message.objects.filter(mailbox=bob.mailbox).count() == 1
    assert QueuedMessage.objects.count() == 1


def test_answers_of_one_ticket_keep_together(reply: Entry, bob: Person) -> None:
    notice = reply.ticket.entries.get(kind=EntryKind.NOTICE)
    reply_message.send(notice.pk)
    automatic, _ = received(bob.mailbox)
    reply_message.send(reply.pk)
    written, _ = received(bob.mailbox)

    assert automatic.text("Auto-Submitted") == "auto-replied"
    assert written.text("In-Reply-To") == automatic.text("Message-ID")
    assert not written.text("Auto-Submitted")


def test_what_was_not_sent_is_sent_by_the_clock(reply: Entry) -> None:
    OrmQ.objects.all().delete()

    assert [tasks.send_waiting() for _ in range(12)] == [2] + 11 * [0]
    assert OrmQ.objects.count() == 2


def test_what_is_tried_again_by_its_job_gets_no_second_one(
    reply: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(raw: bytes) -> None:
        raise ScannerUnavailable("nobody answers")

    monkeypatch.setattr(message_scan, "scan_bytes", away)
    for _ in range(12):
        tasks.send_waiting()
        OrmQ.objects.update(lock=clock.now())
        for _ in range(OrmQ.objects.count()):
            worker.run_next(Lane.QUICK)

    asked = JobRun.objects.filter(func="portal.helpdesk.outgoing.tasks.send")
    assert asked.count() == Entry.objects.to_send().count() == 2


def test_a_reply_to_nobody_says_so_on_the_ticket(reply: Entry) -> None:
    Ticket.objects.update(requester_address="gone@northfield.secure.example")

    reply_message.send(reply.pk)

    reply.refresh_from_db()
    assert "gone@northfield" in reply.failure
    assert not Entry.objects.to_send().filter(pk=reply.pk).exists()


def test_a_notice_repeats_nothing_that_a_stranger_typed(
    open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(
        bob,
        person=None,
        is_confirmed=False,
        subject="BUY NOW",
        name="BUY NOW",
        text="BUY NOW",
    )
    reply_message.send(ticket.entries.get(kind=EntryKind.NOTICE).pk)

    header, body = received(bob.mailbox)
    assert "BUY" not in body + header.to_bytes().decode()
    assert "/help/follow/" in body.replace("=\r\n", "")


def test_a_reply_quotes_nobody_by_the_name_alone(reply: Entry, bob: Person) -> None:
    reply_message.send(reply.pk)

    _, body = received(bob.mailbox)
    assert f"{bob.name} <{bob.address}> wrote:" in body


def test_a_reply_quotes_a_stranger_as_not_confirmed(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob, person=None, name="Judge Moss", is_confirmed=False)
    entry = tickets.answer(
        ticket,
        "We cannot say.",
        status=Status.SOLVED,
        seen=ticket.entries.latest("pk").pk,
        by=hugh,
    )

    reply_message.send(entry.pk)

    _, body = received(bob.mailbox)
    said = " ".join(body.split())
    who = f"Judge Moss <{bob.address}> (name and address not confirmed)"
    assert f"{who} wrote:" in said
