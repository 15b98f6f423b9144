"""The job by which the trace forgets."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.trace import event_purge


def let_go() -> int:
    return event_purge.let_go()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="trace.let_go",
        defaults={
            "func": "engine.trace.tasks.let_go",
            "schedule_type": Schedule.HOURLY,
            "cluster": Lane.LONG,
        },
    )
