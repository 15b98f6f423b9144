"""Mail to the helpdesk becomes a ticket as soon as it is delivered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from engine.jobs import queue, schedules, worker
from engine.jobs.models import JobRun
from engine.jobs.queue import Job
from engine.lanes import Lane
from engine.registry.models import Mailbox, Person
from engine.storage.models import Message
from portal.helpdesk.intake import collect, tasks
from portal.helpdesk.models import Ticket
from tests.engine.storage import conftest as storage
from tests.engine.storage.conftest import compose_message, named_address

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scheduled(helpdesk: Mailbox) -> None:
    tasks.schedule_jobs()
    OrmQ.objects.all().delete()


def deliver(sender: Person, mailbox: Mailbox, *, subject: str = "Help") -> None:
    """Delivers a message in a transaction of its own."""
    raw = compose_message(
        sender=named_address("", sender.address),
        to=[named_address("", mailbox.address)],
        subject=subject,
    )
    with transaction.atomic():
        storage.deliver(mailbox, raw, sender=sender.address)


def test_a_message_that_arrives_is_taken_in_at_once(
    helpdesk: Mailbox, bob: Person
) -> None:
    deliver(bob, helpdesk)

    assert worker.run_next(Lane.QUICK)

    assert Ticket.objects.get().requester == bob
    assert not OrmQ.objects.exists()


def test_a_flood_queues_one_job(helpdesk: Mailbox, bob: Person) -> None:
    for number in range(30):
        deliver(bob, helpdesk, subject=f"Help {number}")

    assert OrmQ.objects.count() == 1


def test_mail_for_others_queues_none_and_asks_nothing_more(
    helpdesk: Mailbox, bob: Person, alice: Person
) -> None:
    deliver(bob, alice.mailbox)
    with CaptureQueriesContext(connection) as asked:
        deliver(bob, alice.mailbox)

    assert not OrmQ.objects.exists()
    assert not any("jobs_jobrun" in one["sql"] for one in asked.captured_queries)


def test_what_arrives_while_a_run_looks_is_taken_in_by_the_next(
    helpdesk: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(bob, helpdesk, subject="First")
    look = collect._inbox

    def look_early() -> list[Message]:
        found = list(look())
        monkeypatch.setattr(collect, "_inbox", look)
        deliver(bob, helpdesk, subject="Second")
        return found

    monkeypatch.setattr(collect, "_inbox", look_early)
    assert worker.run_next(Lane.QUICK)
    assert Ticket.objects.count() == 1

    assert worker.run_next(Lane.QUICK)
    assert Ticket.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_job_does_not_begin_before_what_it_was_asked_for_can_be_seen(
    helpdesk: Mailbox, bob: Person
) -> None:
    """The delivery that found the job queued commits after the job's claim."""
    deliver(bob, helpdesk, subject="First")

    def claim() -> Job | None:
        try:
            return queue.claim(Lane.QUICK)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            deliver(bob, helpdesk, subject="Second")
            assert OrmQ.objects.count() == 1
            claiming = thread.submit(claim)
            with pytest.raises(TimeoutError):
                claiming.result(timeout=1)
        job = claiming.result(timeout=20)

    assert job is not None
    worker.run(job)
    assert Ticket.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_deliveries_do_not_wait_for_each_other(helpdesk: Mailbox, bob: Person) -> None:
    """Both would lock the queued job, and rows of mailboxes in opposite order."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    deliver(bob, helpdesk)

    def start() -> None:
        try:
            schedules.start_now(tasks.COLLECT)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        schedules.start_now(tasks.COLLECT)
        thread.submit(start).result(timeout=10)

    assert OrmQ.objects.count() == 2
    assert JobRun.objects.count() == 2
    assert queue.claim(Lane.QUICK) is not None
