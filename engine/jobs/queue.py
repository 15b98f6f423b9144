"""Queues jobs, claims the next that is due, and records the outcome of each run."""

from __future__ import annotations

import logging
import os
import random
import socket
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from django.db import transaction
from django_q.models import OrmQ, Schedule
from django_q.signing import BadSignature, SignedPackage

from engine.database import clock
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane

log = logging.getLogger(__name__)

# A job whose process died runs again after this; a live process renews its lease.
LEASE = timedelta(seconds=25)
FIRST_DELAY = timedelta(seconds=10)
MAX_DELAY = timedelta(hours=1)
# With these delays, the last attempt is made more than a day after the first.
MAX_ATTEMPTS = 34
# Rows that one look fetches: others may win the first of them.
CANDIDATES = 5
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Job:
    """A job that this process has claimed."""

    job_id: str
    queue_id: int
    func: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    attempts: int
    schedule: str
    package: str

    def __str__(self) -> str:
        return f"{self.func} ({self.job_id[:8]}, attempt {self.attempts})"


def add(
    func: str,
    *args: Any,
    lane: Lane = Lane.QUICK,
    schedule: str = "",
    is_noted: bool = False,
    delay: timedelta = timedelta(0),
) -> str:
    """Queues a job in the caller's transaction; returns its id.

    `func` is a dotted path. It is due after `delay`. `schedule` names the schedule that the
    run belongs to. A run of a schedule, or one that `is_noted`, gets its JobRun now; others
    when they start.
    """
    job_id = uuid4().hex
    package = SignedPackage.dumps(
        {
            "id": job_id,
            "name": schedule or func,
            "func": func,
            "args": args,
            "kwargs": {},
        }
    )
    row = OrmQ.objects.create(key=lane, payload=package, lock=clock.now() + delay)
    if schedule or is_noted:
        JobRun.objects.create(
            job_id=job_id,
            queue_id=row.pk,
            lane=lane,
            func=func,
            arguments=_shown(args),
            schedule=schedule,
            package=package,
            state=RunState.QUEUED,
        )
    return job_id


def add_missing(func: str, keys: Iterable[int], *, lane: Lane = Lane.QUICK) -> int:
    """Queues a job for each key that has none; returns how many were queued.

    For schedules that look for unfinished work. A job that failed is retried, and one
    that was given up waits for an operator. Both count as queued, so that a scanner
    that is down for hours does not fill the queue.
    """
    rows = JobRun.objects.filter(func=func)
    known = set(rows.values_list("arguments", flat=True))
    missing = [key for key in keys if _shown((key,)) not in known]
    for key in missing:
        add(func, key, lane=lane, is_noted=True)
    return len(missing)


def claim(lane: Lane) -> Job | None:
    """Claims the job that has been due longest, under a lease; None if none is due."""
    now = clock.now()
    due = OrmQ.objects.filter(key=lane, lock__lte=now).order_by("lock", "pk")
    for row in due[:CANDIDATES]:
        with transaction.atomic():
            # Compare and swap on the due time: a row that another worker claimed since
            # the look matches no more.
            won = OrmQ.objects.filter(pk=row.pk, lock=row.lock).update(lock=now + LEASE)
            if won and (job := _start_run(row, lane)) is not None:
                return job
    return None


def renew(job: Job) -> None:
    """Extends the lease of a job that is still running."""
    OrmQ.objects.filter(pk=job.queue_id).update(lock=clock.now() + LEASE)


class AlreadyDone(Exception):
    """Another process took the job over in the meantime, and has completed it."""


@transaction.atomic
def done(job: Job) -> None:
    """Deletes a job that succeeded. Raises AlreadyDone."""
    if not OrmQ.objects.filter(pk=job.queue_id).delete()[0]:
        raise AlreadyDone
    JobRun.objects.filter(job_id=job.job_id).delete()


@transaction.atomic
def failed(job: Job, error: BaseException) -> None:
    """Schedules a retry of a job, or gives it up after MAX_ATTEMPTS.

    A run of a schedule is never given up, because the schedule would start another.
    """
    if job.attempts >= MAX_ATTEMPTS and not job.schedule:
        _give_up(job.queue_id, job.job_id)
    else:
        _schedule_retry(job)
    JobRun.objects.filter(job_id=job.job_id).update(
        failed_at=clock.now(), error=_line(error), detail=_trace(error)
    )


def _schedule_retry(job: Job) -> None:
    now = clock.now()
    next_at = now + delay_after(job.attempts)
    schedule = Schedule.objects.filter(name=job.schedule).first()
    if schedule is not None:
        # A failure must not delay the run beyond the next one of its schedule.
        next_at = min(next_at, schedule.calculate_next_run(now))
    OrmQ.objects.filter(pk=job.queue_id).update(lock=next_at)
    JobRun.objects.filter(job_id=job.job_id).update(
        state=RunState.FAILED, next_at=next_at
    )


def _give_up(queue_id: int, job_id: str) -> None:
    OrmQ.objects.filter(pk=queue_id).delete()
    JobRun.objects.filter(job_id=job_id).update(
        state=RunState.GIVEN_UP, queue_id=None, next_at=None
    )
    log.error(
        "job %s is given up; run it again under Failed jobs in the console", job_id
    )


def delay_after(attempts: int) -> timedelta:
    """Returns the delay before the next attempt: doubled each time up to an hour.

    It varies by a tenth, so that jobs that failed together are not retried together.
    """
    doublings: int = min(max(attempts - 1, 0), 12)
    wait = min(FIRST_DELAY * (1 << doublings), MAX_DELAY)
    return wait * (0.9 + 0.2 * _random.random())


def _start_run(row: OrmQ, lane: Lane) -> Job | None:
    """Records that a claimed job starts. Returns None for one that cannot be run."""
    try:
        task = SignedPackage.loads(row.payload)
    except (BadSignature, TypeError, ValueError) as error:
        _set_aside(row, lane, error)
        return None
    run, is_new = JobRun.objects.get_or_create(
        job_id=task["id"], defaults=_facts(row, lane, task)
    )
    if not is_new and run.state == RunState.RUNNING:
        # No outcome was recorded: its process died, and the job may be the cause.
        if run.attempts >= MAX_ATTEMPTS and not run.schedule:
            _give_up(row.pk, run.job_id)
            return None
        run.error = f"Its process ({run.worker}) ended during the run."
        run.failed_at, run.detail = clock.now(), ""
    run.state, run.attempts = RunState.RUNNING, run.attempts + 1
    run.worker, run.started_at = f"{socket.gethostname()}:{os.getpid()}", clock.now()
    run.queue_id, run.next_at = row.pk, None
    run.save()
    return Job(
        run.job_id,
        row.pk,
        run.func,
        tuple(task.get("args", ())),
        dict(task.get("kwargs", {})),
        run.attempts,
        run.schedule,
        row.payload,
    )


def _facts(row: OrmQ, lane: Lane, task: dict[str, Any]) -> dict[str, Any]:
    return {
        "queue_id": row.pk,
        "lane": lane,
        "func": str(task["func"])[:200],
        "arguments": _shown(task.get("args", ()), task.get("kwargs", {})),
        "package": row.payload,
    }


def _shown(
    args: Iterable[Any], kwargs: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """Returns the arguments of a job in one line."""
    named = [f"{name}={one!r}" for name, one in kwargs.items()]
    return ", ".join([*map(repr, args), *named])[:300]


def _set_aside(row: OrmQ, lane: Lane, error: Exception) -> None:
    """Gives up a row that this version or key cannot read, and keeps its package."""
    log.error("a job in %s cannot be read: %s", lane, error)
    row.delete()
    JobRun.objects.create(
        job_id=uuid4().hex,
        lane=lane,
        func="?",
        package=row.payload,
        state=RunState.GIVEN_UP,
        failed_at=clock.now(),
        error=f"It cannot be read ({error}). Was POSTERN_SECRET_KEY changed?"[:300],
    )


@transaction.atomic
def requeue(run: JobRun) -> None:
    """Makes a job due now, with all of its attempts left."""
    now = clock.now()
    if not OrmQ.objects.filter(pk=run.queue_id).update(lock=now):
        row = OrmQ.objects.create(key=run.lane, payload=run.package, lock=now)
        run.queue_id = row.pk
    run.state, run.attempts, run.next_at = RunState.QUEUED, 0, now
    run.save(update_fields=["state", "attempts", "next_at", "queue_id"])


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-8_000:]
