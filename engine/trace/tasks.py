"""Background job of the trace, and its schedule."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.trace import event_purge


# The dotted path of this function is stored in the schedule and in queued jobs, so its
# name outlives a rename.
def let_go() -> int:
    """Purges old trace events."""
    return event_purge.purge()


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="trace.let_go",
        defaults={
            "func": "engine.trace.tasks.let_go",
            "schedule_type": Schedule.HOURLY,
            "cluster": Lane.LONG,
        },
    )
