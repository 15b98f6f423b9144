"""Notices of new mail: what they say, how often they come, and who gets them."""

from __future__ import annotations

import quopri
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.database import clock
from engine.jobs import running_job
from engine.mail.errors import TemporaryFailure
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.registry.models import Grant, Mailbox, Organisation, Person
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.arrival_notices import arrivals, choice, sending
from portal.webmail.models import ArrivalNotice, Period
from portal.webmail.tasks import send_arrival_notices
from tests import factories
from tests.engine.queue.conftest import Queue
from tests.peers.process import free_port
from tests.portal.webmail.arrival_notices.conftest import (
    HOME,
    age,
    arrive,
    notify,
    run,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def begun(db: None) -> None:
    """The job has run before."""
    send_arrival_notices()


@pytest.fixture
def team(northfield: Organisation, bob: Person) -> Mailbox:
    """A group mailbox that Bob reads."""
    made = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_grant(made, bob, can_read=True)
    return made


def words(raw: str) -> str:
    return quopri.decodestring(raw.encode()).decode()


def test_notice_says_for_whom_and_how_many_and_nothing_of_the_content(
    bob: Person, team: Mailbox
) -> None:
    notify(bob, bob.mailbox, team)
    for address in (bob.address, bob.address, team.address):
        arrive(address)

    [notice] = run()

    said = words(notice)
    assert Recipient.objects.get(message__source=Source.SYSTEM).address == HOME
    assert f"{bob.address}: 2 new messages\n" in said.replace("\r", "")
    assert f"{team.address}: 1 new message\n" in said.replace("\r", "")
    assert "/mail/" in said
    for secret in ("charlie", "Bundle", "a@b.example", "Hello"):
        assert secret not in said
    assert "Auto-Submitted: auto-generated" in notice


def test_two_people_with_one_everyday_address_are_both_told(
    bob: Person, charlie: Person
) -> None:
    charlie.everyday_address = HOME
    charlie.save()
    for person in (bob, charlie):
        notify(person, person.mailbox)
        arrive(person.address, sender="alice@northfield.secure.example")

    with running_job.running("job"):
        notices = run()

    assert len(notices) == 2


def test_no_message_is_announced_twice_and_no_notice_comes_too_soon(
    bob: Person,
) -> None:
    notify(bob, bob.mailbox, period=Period.HOURLY)
    arrive(bob.address)
    assert len(run()) == 1
    arrive(bob.address)
    assert run() == []

    age(timedelta(minutes=61))

    [notice] = run()
    assert "1 new message" in words(notice)
    age(timedelta(days=3))
    assert run() == []


@pytest.mark.parametrize(
    ("period", "minutes"),
    [(Period.AT_ONCE, 5), (Period.HOURLY, 60), (Period.DAILY, 24 * 60)],
)
def test_each_period_is_kept(bob: Person, period: Period, minutes: int) -> None:
    notify(bob, bob.mailbox, period=period)
    arrive(bob.address)
    assert len(run()) == 1
    arrive(bob.address)

    age(timedelta(minutes=minutes - 1))
    assert run() == []
    age(timedelta(minutes=1))
    assert len(run()) == 1


def test_what_came_before_is_not_announced(bob: Person, team: Mailbox) -> None:
    arrive(bob.address)
    notify(bob, bob.mailbox)
    arrive(team.address)
    arrive(bob.address)
    notify(bob, bob.mailbox, team)

    [notice] = run()

    assert f"{bob.address}: 1 new" in words(notice)
    assert team.address not in words(notice)


@pytest.mark.parametrize("role", [FolderRole.JUNK, FolderRole.TRASH, FolderRole.SENT])
def test_mail_that_does_not_wait_to_be_read_is_not_announced(
    bob: Person, role: FolderRole
) -> None:
    notify(bob, bob.mailbox)
    message = arrive(bob.address)
    Message.objects.filter(pk=message.pk).update(folder=folder(bob.mailbox, role))

    assert run() == []


def test_mail_that_was_read_meanwhile_is_not_announced(bob: Person) -> None:
    notify(bob, bob.mailbox)
    message = arrive(bob.address)
    Message.objects.filter(pk=message.pk).update(is_read=True)

    assert run() == []
    arrive(bob.address)
    assert "1 new message" in words(run()[0])


def never(person: Person, notice: ArrivalNotice) -> None:
    choice.choose(person, period=Period.NEVER, mailboxes=[])


def unproved(person: Person, notice: ArrivalNotice) -> None:
    notice.proved_address = ""
    notice.save()


def moved(person: Person, notice: ArrivalNotice) -> None:
    Person.objects.filter(pk=person.pk).update(everyday_address="other@home.example")


def inside(person: Person, notice: ArrivalNotice) -> None:
    factories.make_person("bob@home.example")


def suspended(person: Person, notice: ArrivalNotice) -> None:
    Person.objects.filter(pk=person.pk).update(is_active=False)


def shut(person: Person, notice: ArrivalNotice) -> None:
    Person.objects.filter(pk=person.pk).update(mail_shut_at=timezone.now())


def closed(person: Person, notice: ArrivalNotice) -> None:
    Mailbox.objects.filter(owner=person).update(is_active=False)


@pytest.mark.parametrize(
    "happens", [never, unproved, moved, inside, suspended, shut, closed]
)
def test_nobody_is_notified_who_must_not_be(
    bob: Person, happens: Callable[[Person, ArrivalNotice], None]
) -> None:
    notice = notify(bob, bob.mailbox)
    arrive(bob.address)
    happens(bob, notice)

    assert run() == []


def test_who_may_no_longer_read_a_group_mailbox_hears_nothing_of_it(
    bob: Person, team: Mailbox
) -> None:
    notify(bob, team)
    arrive(team.address)
    Grant.objects.all().delete()

    assert run() == []


class PowerCut(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("place", ["prepare", "_claim", "commit_messages", "after"])
def test_a_process_that_dies_sends_once_all_the_same(
    bob: Person, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    notify(bob, bob.mailbox)
    arrive(bob.address)
    owners = {
        "prepare": sending.email_backend,
        "commit_messages": sending.commit,
    }
    done = sending._send

    def die(*given: object, **named: object) -> None:
        if place == "after":
            done(*given)
        raise PowerCut

    with monkeypatch.context() as dying, pytest.raises(PowerCut):
        name = "_send" if place == "after" else place
        dying.setattr(owners.get(place, sending), name, die)
        send_arrival_notices()
    send_arrival_notices()
    age(timedelta(days=2))
    send_arrival_notices()

    assert QueuedMessage.objects.filter(source=Source.SYSTEM).count() == 1


def test_two_processes_send_one_notice(bob: Person) -> None:
    notify(bob, bob.mailbox)
    arrive(bob.address)
    arrivals.find()
    [first], [second] = sending._due(), sending._due()

    assert [sending._send(first), sending._send(second)] == [True, False]
    assert QueuedMessage.objects.filter(source=Source.SYSTEM).count() == 1


def test_a_notice_waits_for_the_scanner(
    bob: Person, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(bob, bob.mailbox)
    arrive(bob.address)
    with monkeypatch.context() as away:
        away.setattr(settings.POSTERN, "clamd", f"127.0.0.1:{free_port()}")
        with pytest.raises(TemporaryFailure):
            send_arrival_notices()

    assert len(run()) == 1


def test_an_address_that_cannot_be_written_to_stops_no_other(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.everyday_address = "alice@home.example"
    alice.save()
    notify(bob, bob.mailbox)
    notify(alice, alice.mailbox)
    arrive(bob.address)
    arrive(alice.address)
    Person.objects.filter(pk=bob.pk).update(everyday_address="no address")
    ArrivalNotice.objects.filter(person=bob).update(proved_address="no address")

    assert len(run()) == 1


def test_mail_is_not_passed_before_all_that_came_earlier_is_committed(
    bob: Person,
) -> None:
    notify(bob, bob.mailbox)
    Queue().send("charlie@harbour.secure.example", bob.address)
    assert run() == []
    Message.objects.update(received_at=timezone.now() - timedelta(minutes=1))

    assert len(run()) == 1


def test_a_host_whose_clock_is_ahead_holds_up_no_other(
    alice: Person, bob: Person
) -> None:
    notify(bob, bob.mailbox)
    ahead = arrive(alice.address)
    arrive(bob.address)
    Message.objects.filter(pk=ahead.pk).update(
        received_at=clock.now() + timedelta(hours=1)
    )

    assert len(run()) == 1
    assert run() == []


def test_looking_for_new_mail_takes_as_many_queries_for_many_messages(
    bob: Person,
) -> None:
    notify(bob, bob.mailbox)
    counts = []
    for messages in (1, 5):
        for _ in range(messages):
            arrive(bob.address)
        with CaptureQueriesContext(connection) as queries:
            assert arrivals.find() == messages
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 7
