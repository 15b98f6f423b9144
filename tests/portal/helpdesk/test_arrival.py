"""The clock runs from the moment at which mail arrived, however late it is collected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from engine.registry.models import Mailbox, Person
from engine.storage.models import Message
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.intake import collect
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import EntryKind, Status
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import deliver_mail

# A Monday, within the helpdesk's hours.
ARRIVED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def arrive(helpdesk: Mailbox, sender: Person, at: datetime, **over: object) -> Message:
    message = deliver_mail(helpdesk, sender.address, **over)
    Message.objects.filter(pk=message.pk).update(received_at=at)
    return message


def collect_at(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        collect.collect()


@pytest.fixture
def asked(helpdesk: Mailbox, bob: Person) -> Ticket:
    """Bob's question, collected three hours after it arrived."""
    arrive(helpdesk, bob, ARRIVED)
    collect_at(ARRIVED + timedelta(hours=3))
    return Ticket.objects.get()


def test_the_clock_starts_when_the_mail_arrived(asked: Ticket) -> None:
    assert asked.created_at == ARRIVED
    assert asked.first_answer_due_at == ARRIVED + asked.target.first_answer
    assert asked.entries.get(kind=EntryKind.REQUEST).created_at == ARRIVED


def test_the_first_answer_is_measured_from_there(asked: Ticket, hugh: Person) -> None:
    with time_machine.travel(ARRIVED + timedelta(hours=4), tick=False):
        tickets.answer(
            asked,
            "Yes.",
            status=Status.WAITING_FOR_REQUESTER,
            seen=asked.entries.latest("pk").pk,
            by=hugh,
        )
    asked.refresh_from_db()

    assert asked.first_answer_minutes == 240


def test_a_stopped_clock_goes_on_when_the_reply_arrived(
    helpdesk: Mailbox, asked: Ticket, bob: Person, hugh: Person
) -> None:
    stopped = ARRIVED + timedelta(hours=4)
    with time_machine.travel(stopped, tick=False):
        tickets.move(asked, Status.WAITING_FOR_REQUESTER, by=hugh)
    replied = stopped + timedelta(minutes=30)
    arrive(helpdesk, bob, replied, to=ticket_links.reply_address(asked))

    collect_at(replied + timedelta(hours=2))

    asked.refresh_from_db()
    assert (asked.status, asked.stopped_minutes) == (Status.OPEN, 30)
    assert asked.entries.filter(kind=EntryKind.REQUEST).last().created_at == replied


def test_a_reply_that_arrived_before_the_clock_stopped_takes_nothing_off(
    helpdesk: Mailbox, asked: Ticket, bob: Person, hugh: Person
) -> None:
    replied = ARRIVED + timedelta(hours=4)
    arrive(helpdesk, bob, replied, to=ticket_links.reply_address(asked))
    with time_machine.travel(replied + timedelta(minutes=5), tick=False):
        tickets.move(asked, Status.WAITING_FOR_REQUESTER, by=hugh)

    collect_at(replied + timedelta(minutes=10))

    asked.refresh_from_db()
    assert (asked.stopped_at, asked.stopped_minutes) == (None, 0)
    assert asked.status == Status.OPEN


def test_a_moment_in_the_future_is_not_believed(helpdesk: Mailbox, bob: Person) -> None:
    arrive(helpdesk, bob, ARRIVED + timedelta(days=3))

    collect_at(ARRIVED)

    assert Ticket.objects.get().created_at == ARRIVED


def test_agents_see_when_mail_arrived(
    asked: Ticket, hugh: Person, signed_in: SignIn
) -> None:
    page = signed_in(hugh, second_factor=True).get(reverse("desk:mail") + "?all=1")

    row = page.context["rows"][0]
    assert row.received_at == ARRIVED
    assert "10:00" in page.content.decode()
