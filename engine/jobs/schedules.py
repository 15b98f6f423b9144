"""Starts jobs by the clock: the database's, which all hosts share."""

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

# What a period may be longer than it says: a day on which clocks go back has 25 hours.
TOLERANCE = 1.05
LEAST_TOLERANCE = timedelta(minutes=1)


def look() -> int:
    """Queue a job for each schedule that is due; returns how many.

    One that lies further ahead than its period was written while a clock ran ahead, and
    is due now. A schedule whose last run is not done yet starts no other: what fails
    each minute would otherwise pile up.
    """
    now = clock.now()
    rows = Schedule.objects.exclude(repeats=0).order_by("pk")
    due = [row.pk for row in rows if _is_due(row, now)]
    return sum(_start(pk) for pk in due)


@transaction.atomic
def start_now(name: str) -> None:
    """Run a schedule's job as soon as the caller's transaction is committed.

    Nothing where one waits already: it is locked, so that it cannot begin before the
    caller's rows are there to be seen. One that another transaction has locked is left
    out rather than waited for, so that there may be as many as transactions at once.
    """
    waiting = JobRun.objects.select_for_update(skip_locked=True).filter(
        # Tried again within its period, and not more often by what arrives meanwhile.
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
    """The latest moment at which the next run can truly be."""
    period: timedelta = schedule.calculate_next_run(now) - now
    return now + max(period * TOLERANCE, period + LEAST_TOLERANCE)


@transaction.atomic
def _start(pk: int) -> bool:
    """Queue one job and write down when the next is due; several hosts may look."""
    locked = Schedule.objects.select_for_update(skip_locked=True)
    schedule = locked.filter(pk=pk).first()
    now = clock.now()
    if schedule is None or not _is_due(schedule, now):
        return False
    name = schedule.name or f"schedule {pk}"
    if schedule.next_run > now:
        log.warning("%s was due in %s only; it runs now", name, schedule.next_run - now)
        schedule.next_run = now
    while schedule.next_run <= now:
        schedule.next_run = schedule.calculate_next_run(schedule.next_run)
    is_pending = JobRun.objects.unfinished().filter(schedule=name).exists()
    if not is_pending:
        lane = _lane(schedule)
        schedule.task = queue.add(schedule.func, lane=lane, schedule=name)
    schedule.save(update_fields=["next_run", "task"])
    return not is_pending
