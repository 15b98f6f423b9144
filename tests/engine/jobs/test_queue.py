"""Queued jobs: claimed once, retried after a failure or crash, then given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from django_q.models import OrmQ, Schedule, Success
from django_q.tasks import async_task

from engine.database import clock
from engine.jobs import backlog, queue, worker
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane
from engine.queue.enqueue import commit
from tests.engine.jobs import sample_jobs

pytestmark = pytest.mark.django_db

MARK = "tests.engine.jobs.sample_jobs.mark"
FAIL = "tests.engine.jobs.sample_jobs.fail"
Marks = Callable[[], list[str]]


def make_due() -> None:
    OrmQ.objects.update(lock=clock.now())


def run_to_the_end() -> None:
    while OrmQ.objects.exists():
        make_due()
        worker.run_next(Lane.QUICK)


def test_jobs_run_in_the_order_in_which_they_came(marks: Marks) -> None:
    for name in ("one", "two", "three"):
        async_task(MARK, name)

    while worker.run_next(Lane.QUICK):
        pass

    assert marks() == ["one", "two", "three"]
    assert not OrmQ.objects.exists()
    assert not JobRun.objects.exists()
    assert Success.objects.count() == 3


def test_a_job_of_one_lane_is_never_behind_one_of_another(marks: Marks) -> None:
    async_task(MARK, "import", cluster=Lane.LONG)
    async_task(MARK, "letter")

    assert worker.run_next(Lane.QUICK)

    assert marks() == ["letter"]
    assert not worker.run_next(Lane.QUICK)


def test_a_job_that_is_claimed_is_claimed_by_nobody_else(marks: Marks) -> None:
    async_task(MARK, "one")

    assert queue.claim(Lane.QUICK) is not None
    assert queue.claim(Lane.QUICK) is None


def test_a_job_that_fails_is_tried_again_later_and_forgotten_when_it_is_done(
    marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async_task(FAIL)

    worker.run_next(Lane.QUICK)

    [run] = JobRun.objects.troubled()
    assert (run.state, run.attempts) == (RunState.FAILED, 1)
    assert run.error == "Fault: The scanner is away."
    assert "sample_jobs.py" in run.detail
    assert run.next_at is not None
    assert not worker.run_next(Lane.QUICK)
    make_due()
    monkeypatch.setattr(sample_jobs, "fail", lambda: sample_jobs.mark("sent"))
    assert worker.run_next(Lane.QUICK)
    assert marks() == ["sent"]
    assert not JobRun.objects.exists()


def test_waits_grow_to_an_hour_and_last_more_than_a_day_together() -> None:
    waits = [queue.delay_after(number) for number in range(1, queue.MAX_ATTEMPTS)]

    assert waits[0] <= timedelta(seconds=11)
    assert max(waits) <= timedelta(hours=1.1)
    assert all(later > earlier for earlier, later in pairwise(waits[:8]))
    assert timedelta(hours=20) < sum(waits, timedelta()) < timedelta(days=2)


def test_a_job_that_never_succeeds_is_given_up_and_kept() -> None:
    async_task(FAIL)

    run_to_the_end()

    [run] = JobRun.objects.given_up()
    assert run.attempts == queue.MAX_ATTEMPTS
    assert run.queue_id is None
    assert run.error == "Fault: The scanner is away."


def test_a_run_of_a_schedule_is_never_given_up() -> None:
    queue.add(FAIL, schedule="each minute")

    for _ in range(queue.MAX_ATTEMPTS + 2):
        make_due()
        worker.run_next(Lane.QUICK)

    [run] = JobRun.objects.troubled()
    assert run.state == RunState.FAILED
    assert OrmQ.objects.count() == 1


def test_a_run_of_a_schedule_waits_no_longer_than_until_the_next_would_come() -> None:
    Schedule.objects.create(name="each minute", func=FAIL, schedule_type="I", minutes=1)
    queue.add(FAIL, schedule="each minute")

    for _ in range(20):
        make_due()
        worker.run_next(Lane.QUICK)

    [row] = OrmQ.objects.all()
    assert row.lock - clock.now() <= timedelta(minutes=1)


def test_a_job_whose_process_died_is_run_again_when_its_lease_ends(
    marks: Marks,
) -> None:
    async_task(MARK, "one")
    queue.claim(Lane.QUICK)

    OrmQ.objects.update(lock=clock.now())
    worker.run_next(Lane.QUICK)

    assert marks() == ["one"]
    assert not JobRun.objects.exists()


def test_a_job_that_kills_its_process_each_time_is_given_up() -> None:
    async_task(MARK, "never")

    for _ in range(queue.MAX_ATTEMPTS + 1):
        make_due()
        queue.claim(Lane.QUICK)

    [run] = JobRun.objects.given_up()
    assert "ended during the run" in run.error
    assert not OrmQ.objects.exists()


def test_a_lease_is_renewed() -> None:
    async_task(MARK, "one")
    job = queue.claim(Lane.QUICK)
    assert job is not None
    OrmQ.objects.update(lock=clock.now())

    queue.renew(job)

    [row] = OrmQ.objects.all()
    assert timedelta(0) < row.lock - clock.now() <= queue.LEASE


def test_what_nobody_can_read_stops_nothing_and_is_kept(marks: Marks) -> None:
    OrmQ.objects.create(key=Lane.QUICK, payload="not ours", lock=clock.now())
    async_task(MARK, "one")

    worker.run_next(Lane.QUICK)
    worker.run_next(Lane.QUICK)

    assert marks() == ["one"]
    [run] = JobRun.objects.given_up()
    assert run.package == "not ours"
    assert "cannot be read" in run.error


def test_a_job_is_queued_with_the_transaction_that_asks_for_it(marks: Marks) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        async_task(MARK, "one")
        raise RuntimeError

    assert not worker.run_next(Lane.QUICK)


def test_what_a_job_sends_has_one_name_however_often_the_job_is_run(
    marks: Marks,
) -> None:
    for _ in range(2):
        async_task("tests.engine.jobs.sample_jobs.note_key")
    first = queue.claim(Lane.QUICK)
    assert first is not None

    worker.run(first)
    worker.run(first)
    worker.run_next(Lane.QUICK)

    keys = marks()
    assert keys[0] == keys[1] != keys[2]


def test_a_job_that_runs_too_long_has_failed() -> None:
    async_task("tests.engine.jobs.sample_jobs.end_by_timeout")

    worker.run_next(Lane.QUICK)

    [run] = JobRun.objects.troubled()
    assert run.error == "JobTimeout: It ran for too long."


def test_jobs_put_off_while_a_clock_ran_ahead_run_when_it_is_right_again(
    marks: Marks,
) -> None:
    async_task(MARK, "one")
    OrmQ.objects.update(lock=clock.now() + timedelta(days=400))

    backlog.bring_forward()

    assert worker.run_next(Lane.QUICK)
    assert marks() == ["one"]


def test_a_job_that_waits_for_its_next_attempt_is_not_brought_forward() -> None:
    async_task(FAIL)
    worker.run_next(Lane.QUICK)

    backlog.bring_forward()

    assert not worker.run_next(Lane.QUICK)


def test_what_a_job_sent_is_known_again_as_long_as_it_is_tried() -> None:
    waits = (queue.delay_after(number) for number in range(1, queue.MAX_ATTEMPTS))

    assert sum(waits, timedelta()) * 1.2 < commit.RESEND_WINDOW
