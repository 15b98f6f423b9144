"""One process that takes jobs from a lane, runs them, and writes down how they went.

It shares nothing with other processes but the database. django-q2's own cluster hands
jobs from process to process through pipes with locks, and a lock whose holder is killed
is never released: with its one idle worker every job stopped (known upstream).
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils.module_loading import import_string
from django_q.models import Success, Task

from engine.database import clock
from engine.jobs import current, limits, queue, schedules
from engine.jobs.queue import Job
from engine.lanes import Lane
from engine.processes import process_group

log = logging.getLogger(__name__)

IDLE = 0.5  # seconds between two looks where nothing is due
LOOK_EVERY = 15.0  # seconds between two looks at the schedules
# After a fault of the database; less would fill the log while it is away.
PAUSE = 5.0
SUCCESSES_KEPT = 250


class Worker:
    """Runs a lane's jobs until SIGTERM, or until the process that started it is gone."""

    def __init__(self, lane: Lane, *, parent: int) -> None:
        self._lane, self._parent = lane, parent
        self._is_stopping = False
        self._looked_at = 0.0

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        log.info("the worker for %s is ready", self._lane.name)
        while not self._is_stopping and not process_group.has_lost_parent(self._parent):
            time.sleep(self._turn())

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _turn(self) -> float:
        """Run one job; returns how long to wait before the next."""
        try:
            close_old_connections()
            if time.monotonic() - self._looked_at >= LOOK_EVERY:
                self._looked_at = time.monotonic()
                look_after()
            return 0.0 if run_next(self._lane) else IDLE
        except DatabaseError:
            log.exception("the worker for %s cannot use the database", self._lane.name)
            connection.close()
            return PAUSE


def look_after() -> None:
    """What any worker does for all of them: schedules, and jobs that cannot be due."""
    queue.put_right()
    queue.forget_strays()
    schedules.look()


def run_next(lane: Lane) -> bool:
    """Run the next job that is due in a lane; False where none is."""
    job = queue.claim(lane)
    if job is not None:
        run(job)
    return job is not None


def run(job: Job) -> None:
    """Run a claimed job and write down how it went. Raises DatabaseError only."""
    started_at = clock.now()
    try:
        with _lease_kept(job), current.running(job.job_id), limits.time_limit():
            _work(job)
    except queue.DoneAlready:
        log.info("job %s was done already", job)
        return
    except (Exception, limits.JobTimeout) as error:
        log.exception("job %s failed", job)
        _note_failure(job, error)
        return
    log.info("job %s is done", job)
    _note_success(job, started_at)


def _work(job: Job) -> None:
    """Run it and note that it is done. Raises DoneAlready, and what the job raises."""
    work = import_string(job.func)
    if not current.is_committed(work):
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
        # The job may have failed because the connection was lost: try another.
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

    with limits.watched(renew):
        yield


def _note_success(job: Job, started_at: datetime) -> None:
    """What Health shows: when jobs last ended well."""
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
