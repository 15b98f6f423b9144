"""Adding jobs, taking the next that is due, and writing down how it went."""

from __future__ import annotations

import logging
import os
import random
import socket
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Min, Q
from django_q.models import OrmQ, Schedule
from django_q.signing import BadSignature, SignedPackage

from engine.database import clock
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane

log = logging.getLogger(__name__)

# A job whose process died is run again after this; a live process renews its lease.
LEASE = timedelta(seconds=25)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
# With these pauses, a day and some hours after the first.
MOST_ATTEMPTS = 34
CANDIDATES = 5
_dice = random.SystemRandom()


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
) -> str:
    """Queue a job in the caller's transaction; returns its id.

    `func` is a dotted path. `schedule` names the schedule of which this is a run. A
    JobRun is made of those, and of what `is_noted`; of others when they begin.
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
    row = OrmQ.objects.create(key=lane, payload=package, lock=clock.now())
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
    """Queue a job for each key that has none; returns how many were queued.

    For what runs by the clock and finds something left undone. A job that failed is
    tried again by itself, and one that was given up waits for an operator: either
    counts, so that a scanner that is away for hours does not fill the queue.
    """
    rows = JobRun.objects.filter(func=func)
    known = set(rows.values_list("arguments", flat=True))
    missing = [key for key in keys if _shown((key,)) not in known]
    for key in missing:
        add(func, key, lane=lane, is_noted=True)
    return len(missing)


def claim(lane: Lane) -> Job | None:
    """Take the job that has been due longest, under a lease; None where none is."""
    now = clock.now()
    due = OrmQ.objects.filter(key=lane, lock__lte=now).order_by("lock", "pk")
    for row in due[:CANDIDATES]:
        with transaction.atomic():
            won = OrmQ.objects.filter(pk=row.pk, lock=row.lock).update(lock=now + LEASE)
            if won and (job := _begun(row, lane)) is not None:
                return job
    return None


def renew(job: Job) -> None:
    OrmQ.objects.filter(pk=job.queue_id).update(lock=clock.now() + LEASE)


class DoneAlready(Exception):
    """Another process took the job over meanwhile, and has done it."""


@transaction.atomic
def done(job: Job) -> None:
    """Forget a job that ended well. Raises DoneAlready."""
    if not OrmQ.objects.filter(pk=job.queue_id).delete()[0]:
        raise DoneAlready
    JobRun.objects.filter(job_id=job.job_id).delete()


@transaction.atomic
def failed(job: Job, error: BaseException) -> None:
    """Put a job off, or give it up after MOST_ATTEMPTS.

    A run of a schedule is never given up: the schedule would start another.
    """
    if job.attempts >= MOST_ATTEMPTS and not job.schedule:
        _give_up(job.queue_id, job.job_id)
    else:
        _put_off(job)
    JobRun.objects.filter(job_id=job.job_id).update(
        failed_at=clock.now(), error=_line(error), detail=_trace(error)
    )


def _put_off(job: Job) -> None:
    now = clock.now()
    next_at = now + wait_after(job.attempts)
    schedule = Schedule.objects.filter(name=job.schedule).first()
    if schedule is not None:
        # No longer than if it had not failed.
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
    log.error("job %s is given up: an operator can run it again", job_id)


def wait_after(attempts: int) -> timedelta:
    """Twice as long each time, up to an hour, with jitter."""
    doublings: int = min(max(attempts - 1, 0), 12)
    wait = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return wait * (0.9 + 0.2 * _dice.random())


def _begun(row: OrmQ, lane: Lane) -> Job | None:
    """Note that a claimed job begins. None for one that cannot be run."""
    try:
        task = SignedPackage.loads(row.payload)
    except (BadSignature, TypeError, ValueError) as error:
        _set_aside(row, lane, error)
        return None
    run, is_new = JobRun.objects.get_or_create(
        job_id=task["id"], defaults=_facts(row, lane, task)
    )
    if not is_new and run.state == RunState.RUNNING:
        # Nobody wrote down how it went: its process died, perhaps because of it.
        if run.attempts >= MOST_ATTEMPTS and not run.schedule:
            _give_up(row.pk, run.job_id)
            return None
        run.error = f"Its process ({run.worker}) ended while it ran."
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
    """The arguments of a job as one line."""
    named = [f"{name}={one!r}" for name, one in kwargs.items()]
    return ", ".join([*map(repr, args), *named])[:300]


def _set_aside(row: OrmQ, lane: Lane, error: Exception) -> None:
    """Give up a row that nobody here can read; it is kept as it is."""
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
def again(run: JobRun) -> None:
    """Make a job due now, as if it had never been tried."""
    now = clock.now()
    if not OrmQ.objects.filter(pk=run.queue_id).update(lock=now):
        row = OrmQ.objects.create(key=run.lane, payload=run.package, lock=now)
        run.queue_id = row.pk
    run.state, run.attempts, run.next_at = RunState.QUEUED, 0, now
    run.save(update_fields=["state", "attempts", "next_at", "queue_id"])


@dataclass(frozen=True, slots=True)
class Waiting:
    """The jobs of a lane that are due and that nobody has begun."""

    lane: str
    count: int
    due_since: datetime | None


def waiting(now: datetime) -> list[Waiting]:
    """What waits in each lane. One query."""
    due = Q(lock__lte=now)
    rows = OrmQ.objects.order_by().values("key")
    counted = rows.annotate(
        count=Count("pk", filter=due), oldest=Min("lock", filter=due)
    )
    return [Waiting(row["key"], row["count"], row["oldest"]) for row in counted]


def put_right() -> int:
    """Bring forward what waits longer than anything may; returns how many.

    Written while a clock ran ahead, it would wait for the false date.
    """
    now = clock.now()
    latest = now + LONGEST_WAIT * 1.1 + LEASE
    return int(OrmQ.objects.filter(lock__gt=latest).update(lock=now))


def forget_strays() -> int:
    """Drop what is noted of jobs that are no longer in the queue."""
    rows = JobRun.objects.unfinished().exclude(
        queue_id__in=OrmQ.objects.values_list("pk", flat=True)
    )
    return rows.delete()[0]


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-8_000:]
