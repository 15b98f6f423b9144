"""Queues the jobs of schedules, by the database's clock, which all hosts share."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django_q.models import Schedule

from engine.database import clock
from engine.jobs import queue
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane

log = logging.getLogger(__name__)

# By how much a period may exceed its length: the day on which clocks go back has 25
# hours.
TOLERANCE = 1.05
LEAST_TOLERANCE = timedelta(minutes=1)


def queue_due() -> int:
    """Queues a job for each schedule that is due; returns how many.

    A next run further ahead than the period was written while a clock ran ahead, and is
    due now. A schedule whose last run has not finished starts no other, so that a job
    that fails every minute does not pile up.
    """
    now = clock.now()
    rows = Schedule.objects.exclude(repeats=0).order_by("pk")
    due = [row.pk for row in rows if _is_due(row, now)]
    return sum(_start(pk) for pk in due)


@transaction.atomic
def start_now(name: str) -> None:
    """Runs a schedule's job as soon as the caller's transaction is committed.

    If a run is queued already, it is locked instead, so that it cannot start before the
    caller's rows are visible. A run that another transaction has locked is skipped rather
    than waited for; there may then be as many runs as concurrent transactions.
    """
    waiting = JobRun.objects.select_for_update(skip_locked=True).filter(
        # A failed run is retried within its period; new work must not add attempts.
        schedule=name,
        state__in=(RunState.QUEUED, RunState.FAILED),
    )
    if waiting.first() is None:
        schedule = Schedule.objects.filter(name=name).first()
        if schedule is not None:
            queue.add(schedule.func, lane=_lane(schedule), schedule=name)


def _lane(schedule: Schedule) -> Lane:
    return Lane(schedule.cluster or Lane.QUICK)


def _is_due(schedule: Schedule, now: datetime) -> bool:
    if schedule.next_run is None:
        return False
    return bool(schedule.next_run <= now or schedule.next_run > _latest(schedule, now))


def _latest(schedule: Schedule, now: datetime) -> datetime:
    """Returns the latest moment for which a next run can rightly be set."""
    period: timedelta = schedule.calculate_next_run(now) - now
    return now + max(period * TOLERANCE, period + LEAST_TOLERANCE)


@transaction.atomic
def _start(pk: int) -> bool:
    """Queues one job and sets the next run. Workers of several hosts may call it."""
    locked = Schedule.objects.select_for_update(skip_locked=True)
    schedule = locked.filter(pk=pk).first()
    now = clock.now()
    if schedule is None or not _is_due(schedule, now):
        return False
    name = schedule.name or f"schedule {pk}"
    if schedule.next_run > now:
        log.warning(
            "%s was due no earlier than in %s, beyond its period: a clock ran ahead. It "
            "runs now",
            name,
            schedule.next_run - now,
        )
        schedule.next_run = now
    while schedule.next_run <= now:
        schedule.next_run = schedule.calculate_next_run(schedule.next_run)
    is_pending = JobRun.objects.unfinished().filter(schedule=name).exists()
    if not is_pending:
        lane = _lane(schedule)
        schedule.task = queue.add(schedule.func, lane=lane, schedule=name)
    schedule.save(update_fields=["next_run", "task"])
    return not is_pending
