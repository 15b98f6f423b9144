"""Schedules: by the database's clock, one run at a time, never stopped permanently."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from engine.database import clock
from engine.jobs import queue, schedules, worker
from engine.jobs.models import JobRun
from engine.lanes import Lane

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_others() -> None:
    Schedule.objects.all().delete()


def make_schedule(kind: str = Schedule.MINUTES, **over: object) -> Schedule:
    return Schedule.objects.create(
        **{
            "name": "test.fail",
            "func": "tests.engine.jobs.sample_jobs.fail",
            "schedule_type": kind,
            "minutes": 1,
            "next_run": clock.now(),
            **over,
        }
    )


def test_a_due_schedule_starts_one_job_and_is_due_again_a_period_later() -> None:
    schedule = make_schedule()

    assert (schedules.queue_due(), schedules.queue_due()) == (1, 0)

    schedule.refresh_from_db()
    assert OrmQ.objects.count() == 1
    assert timedelta(0) < schedule.next_run - clock.now() <= timedelta(minutes=1)


def test_missed_runs_are_run_once() -> None:
    make_schedule(next_run=clock.now() - timedelta(days=3))

    schedules.queue_due()

    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "ahead"),
    [
        (Schedule.MINUTES, timedelta(minutes=5)),
        (Schedule.HOURLY, timedelta(hours=2)),
        (Schedule.DAILY, timedelta(days=400)),
    ],
)
def test_one_that_lies_further_ahead_than_its_period_runs_now(
    kind: str, ahead: timedelta
) -> None:
    schedule = make_schedule(kind, next_run=clock.now() + ahead)

    assert schedules.queue_due() == 1

    schedule.refresh_from_db()
    assert schedule.next_run <= clock.now() + timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    ("kind", "ahead"),
    [
        (Schedule.MINUTES, timedelta(minutes=1)),
        (Schedule.HOURLY, timedelta(hours=1)),
        (Schedule.DAILY, timedelta(hours=25)),
    ],
)
def test_one_that_is_not_due_yet_waits(kind: str, ahead: timedelta) -> None:
    make_schedule(kind, next_run=clock.now() + ahead)

    assert schedules.queue_due() == 0


def test_a_run_that_is_not_done_yet_keeps_the_next_from_piling_up() -> None:
    schedule = make_schedule()
    schedules.queue_due()
    worker.run_next(Lane.QUICK)

    Schedule.objects.update(next_run=clock.now())

    assert schedules.queue_due() == 0
    schedule.refresh_from_db()
    assert schedule.next_run > clock.now()
    assert OrmQ.objects.count() == 1


def test_a_run_that_was_lost_from_the_queue_keeps_no_other_from_starting() -> None:
    make_schedule()
    schedules.queue_due()
    OrmQ.objects.all().delete()
    Schedule.objects.update(next_run=clock.now())

    worker.upkeep()

    assert OrmQ.objects.count() == 1
    assert JobRun.objects.count() == 1


def test_a_schedule_names_the_lane_of_its_jobs() -> None:
    make_schedule(cluster=Lane.CALLS)

    schedules.queue_due()

    assert queue.claim(Lane.QUICK) is None
    assert queue.claim(Lane.CALLS) is not None


def test_a_host_whose_clock_is_ahead_starts_nothing_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_schedule(next_run=clock.now() + timedelta(seconds=50))
    ahead = timezone.now() + timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    assert schedules.queue_due() == 0


def test_what_is_started_now_runs_once_however_often_it_is_asked_for() -> None:
    make_schedule(next_run=clock.now() + timedelta(minutes=1))

    for _ in range(50):
        schedules.start_now("test.fail")

    assert OrmQ.objects.count() == 1
    assert JobRun.objects.get().schedule == "test.fail"


def test_what_runs_already_may_have_looked_too_early() -> None:
    make_schedule(next_run=clock.now() + timedelta(minutes=1))
    schedules.start_now("test.fail")
    assert queue.claim(Lane.QUICK) is not None

    for _ in range(50):
        schedules.start_now("test.fail")

    assert OrmQ.objects.count() == 2


def test_what_fails_does_not_pile_up_with_what_arrives() -> None:
    make_schedule(next_run=clock.now() + timedelta(minutes=1))
    for _ in range(5):
        schedules.start_now("test.fail")
        worker.run_next(Lane.QUICK)

    assert OrmQ.objects.count() == 1


def test_a_schedule_that_is_not_there_starts_nothing() -> None:
    schedules.start_now("test.gone")

    assert not OrmQ.objects.exists()
