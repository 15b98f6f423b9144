"""The worker process of a lane: claims jobs, runs them, and records their outcomes.

It shares only the database with other processes. django-q2's own cluster (1.11.1) passes
jobs between processes through pipes guarded by locks, and the lock of a worker that is
killed is never released: all jobs stop (known upstream).
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from django.db import DatabaseError, connection, transaction
from django.utils.module_loading import import_string
from django_q.models import Success, Task

from engine.database import clock
from engine.database.dead_connections import replace_unusable
from engine.jobs import backlog, queue, running_job, schedules, time_limit
from engine.jobs.queue import Job
from engine.lanes import Lane
from engine.processes import process_group
from engine.processes.supervision import ENDING

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5  # while no job is due
UPKEEP_SECONDS = 15.0
# After a fault of the database. A shorter pause would fill the log during an outage.
FAULT_SECONDS = 5.0
SUCCESSES_KEPT = 250


class Worker:
    """Runs a lane's jobs until SIGTERM, or until the process that started it has ended."""

    def __init__(self, lane: Lane, *, parent: int) -> None:
        self._lane, self._parent = lane, parent
        self._is_stopping = False
        self._upkeep_at = 0.0

    def run(self) -> None:
        """Runs jobs in this process, and returns once it is to stop."""
        for number in ENDING:
            signal.signal(number, self._stop)
        log.info("the worker for %s is ready", self._lane.name)
        while not self._is_stopping and not process_group.has_lost_parent(self._parent):
            time.sleep(self._step())

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _step(self) -> float:
        """Runs one job; returns the seconds to wait before the next."""
        try:
            replace_unusable()
            if time.monotonic() - self._upkeep_at >= UPKEEP_SECONDS:
                self._upkeep_at = time.monotonic()
                upkeep()
            return 0.0 if run_next(self._lane) else POLL_SECONDS
        except DatabaseError:
            log.exception("the worker for %s cannot use the database", self._lane.name)
            connection.close()
            return FAULT_SECONDS


def upkeep() -> None:
    """Queues the jobs of due schedules, and repairs the queue.

    Every worker does so for all lanes, so that no single one is needed.
    """
    backlog.bring_forward()
    backlog.delete_orphans()
    schedules.queue_due()


def run_next(lane: Lane) -> bool:
    """Runs the next job that is due in a lane; returns False if none is."""
    job = queue.claim(lane)
    if job is not None:
        run(job)
    return job is not None


def run(job: Job) -> None:
    """Runs a claimed job and records its outcome. Raises DatabaseError only."""
    started_at = clock.now()
    try:
        with _lease_kept(job), running_job.running(job.job_id), time_limit.time_limit():
            _work(job)
    except queue.AlreadyDone:
        log.info("job %s was completed by another process", job)
        return
    except (Exception, time_limit.JobTimeout) as error:
        log.exception("job %s failed", job)
        _note_failure(job, error)
        return
    log.info("job %s is done", job)
    _note_success(job, started_at)


def _work(job: Job) -> None:
    """Runs it and deletes it. Raises AlreadyDone, and whatever the job raises."""
    work = import_string(job.func)
    if not running_job.is_committed(work):
        work(*job.args, **job.kwargs)
        queue.done(job)
        return
    with transaction.atomic():
        work(*job.args, **job.kwargs)
        queue.done(job)


def _note_failure(job: Job, error: BaseException) -> None:
    try:
        queue.failed(job, error)
    except DatabaseError:
        # The job may have failed because the connection was lost: use a new one.
        connection.close()
        queue.failed(job, error)


@contextmanager
def _lease_kept(job: Job) -> Iterator[None]:
    def renew() -> None:
        try:
            queue.renew(job)
        except DatabaseError:
            log.warning("the lease of job %s could not be renewed", job)
        finally:
            connection.close()

    with time_limit.watchdog(renew):
        yield


def _note_success(job: Job, started_at: datetime) -> None:
    """Records the success for the Health page, which shows when jobs last succeeded."""
    Task.objects.update_or_create(
        id=job.job_id,
        defaults={
            "name": (job.schedule or job.func)[:100],
            "func": job.func,
            "started": started_at,
            "stopped": clock.now(),
            "success": True,
            "attempt_count": job.attempts,
        },
    )
    if job.queue_id % SUCCESSES_KEPT == 0:
        kept = list(Success.objects.values_list("pk", flat=True)[:SUCCESSES_KEPT])
        Success.objects.exclude(pk__in=kept).delete()
