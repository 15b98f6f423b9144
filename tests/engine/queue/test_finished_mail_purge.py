from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule

from engine.lanes import Lane
from engine.queue import finished_mail_purge, tasks
from engine.queue.models import QueuedMessage, Recipient
from engine.storage import message_actions as storage
from engine.storage.models import Content
from engine.trace.models import Event
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


def test_what_is_long_finished_leaves_the_queue_and_the_trace_stays(queue, alice, bob):
    reference = queue.send(bob.address, alice.address)
    kept = queue.send(bob.address, alice.address)
    [first, _] = queue.inbox(alice)
    storage.erase([first.pk])
    age_past_retention(QueuedMessage.objects.all())

    finished_mail_purge.purge()

    assert not QueuedMessage.objects.exists()
    assert not Recipient.objects.exists()
    assert Content.objects.count() == 1
    assert len(queue.inbox(alice)) == 1
    assert Event.objects.filter(reference=reference).count() == 2
    assert Event.objects.filter(reference=kept).count() == 2


def test_what_still_waits_stays_however_old(queue, hop, firm_connection, alice, bob):
    hop.stop()
    reference = queue.send(bob.address, alice.address, JANE)
    age_past_retention(QueuedMessage.objects.all())
    QueuedMessage.objects.update(expires_at=timezone.now() + timedelta(days=1))

    finished_mail_purge.purge()

    assert QueuedMessage.objects.get().reference == reference


def test_what_finished_just_now_stays(queue, alice, bob):
    queue.send(bob.address, alice.address)
    age_past_retention(QueuedMessage.objects.all())
    Recipient.objects.update(finished_at=timezone.now())

    finished_mail_purge.purge()

    assert QueuedMessage.objects.exists()


def age_past_retention(messages):
    long_ago = timezone.now() - timedelta(days=settings.POSTERN.queue_days, hours=1)
    Recipient.objects.exclude(finished_at=None).update(finished_at=long_ago)
    messages.update(accepted_at=long_ago)


def test_the_days_are_the_communitys_own(queue, alice, bob, monkeypatch):
    queue.send(bob.address, alice.address)
    age_past_retention(QueuedMessage.objects.all())
    monkeypatch.setattr(settings.POSTERN, "queue_days", 30)

    finished_mail_purge.purge()

    assert QueuedMessage.objects.exists()


def test_many_go_in_slices_and_each_is_a_transaction(queue, alice, bob, monkeypatch):
    monkeypatch.setattr(finished_mail_purge, "SLICE", 2)
    for _ in range(5):
        queue.send(bob.address, alice.address)
    age_past_retention(QueuedMessage.objects.all())

    with CaptureQueriesContext(connection) as queries:
        assert finished_mail_purge.purge() == 5

    assert not QueuedMessage.objects.exists()
    slices = [q for q in queries if "RELEASE SAVEPOINT" in q["sql"]]
    assert len(slices) >= 3


def test_the_job_is_scheduled_where_nothing_waits_for_it(db):
    tasks.schedule_jobs()
    tasks.schedule_jobs()

    assert Schedule.objects.get(name="queue.let_go").cluster == Lane.LONG
    assert tasks.let_go() == 0
