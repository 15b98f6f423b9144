"""Background jobs of encryption, and their schedule."""

from __future__ import annotations

from django_q.models import Schedule

from engine.encryption import rotation
from engine.lanes import Lane


# The dotted path of this function is stored in the schedule and in queued jobs, so its
# name outlives a rename.
def finish_rotations() -> int:
    """Finishes rotations that were interrupted, and deletes the versions before."""
    return rotation.rewrap_all()


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="encryption.finish_rotations",
        defaults={
            "func": "engine.encryption.tasks.finish_rotations",
            "schedule_type": Schedule.HOURLY,
            "cluster": Lane.LONG,
        },
    )
