"""Background job of the delivery certificates, and its schedule."""

from __future__ import annotations

from django_q.models import Schedule

from engine.certificates import purge
from engine.lanes import Lane


# The dotted path of this function is stored in the schedule and in queued jobs, so its
# name outlives a rename.
def let_go() -> int:
    """Deletes the rows of old certificates."""
    return purge.purge()


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="certificates.let_go",
        defaults={
            "func": "engine.certificates.tasks.let_go",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.LONG,
        },
    )
