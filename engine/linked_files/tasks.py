"""Background jobs of files sent as links, and their schedule.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.jobs.running_job import committed
from engine.lanes import Lane
from engine.linked_files import ending, proofs


@committed
def send_code(proof_id: int) -> None:
    """Sends the code of a request, where the address received the file."""
    proofs.send_code(proof_id)


def let_go() -> int:
    """Ends files that have expired or were recalled, and deletes old rows."""
    return ending.end_due() + ending.purge()


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="linked_files.let_go",
        defaults={
            "func": "engine.linked_files.tasks.let_go",
            "schedule_type": Schedule.MINUTES,
            "minutes": 10,
            "cluster": Lane.LONG,
        },
    )
