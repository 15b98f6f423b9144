"""An invitation requested while mail cannot be sent is sent later, and once."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from engine.database import clock
from engine.jobs import queue, worker
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane
from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from portal.account_admin.tasks import invite
from tests import factories
from tests.peers.process import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def through_the_queue(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"


@pytest.fixture
def newcomer(bob: Person) -> Person:
    person = factories.make_person(
        "new@northfield.secure.example", organisation=bob.organisation
    )
    person.set_unusable_password()
    person.everyday_address = "new@mail.example"
    person.save()
    return person


def make_due() -> None:
    OrmQ.objects.update(lock=clock.now())


def test_a_minute_without_the_scanner_delays_an_invitation_and_loses_none(
    newcomer: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(settings.POSTERN, "clamd", f"127.0.0.1:{free_port()}")
        invite(newcomer)
        worker.run_next(Lane.QUICK)
    [run] = JobRun.objects.all()
    assert run.state == RunState.FAILED
    assert "451" in run.error
    assert not QueuedMessage.objects.exists()

    make_due()
    worker.run_next(Lane.QUICK)

    assert QueuedMessage.objects.count() == 1
    assert not JobRun.objects.exists()


def test_an_invitation_whose_job_is_run_twice_is_sent_once(newcomer: Person) -> None:
    invite(newcomer)
    job = queue.claim(Lane.QUICK)
    assert job is not None

    worker.run(job)
    worker.run(job)

    assert QueuedMessage.objects.count() == 1


def test_somebody_who_is_invited_again_gets_another(newcomer: Person) -> None:
    for _ in range(2):
        invite(newcomer)
        worker.run_next(Lane.QUICK)

    assert QueuedMessage.objects.count() == 2
