"""Background jobs of the incident controls, and their schedules.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.incidents import (
    key_index,
    rescan_job,
    withdrawal_job,
    withdrawals,
    withdrawn,
)
from engine.lanes import Lane

JOBS = {
    "incidents.index_messages": (Schedule.MINUTES, 1),
    "incidents.let_go": (Schedule.HOURLY, None),
}


def index_messages() -> int:
    """Indexes what newly accepted messages are found by."""
    return key_index.index_new()


def let_go() -> int:
    """Ends old requests to withdraw, and deletes old keys of messages."""
    withdrawals.lapse()
    return key_index.purge() + withdrawn.purge()


def run_withdrawal(withdrawal_id: int) -> None:
    """Carries out a withdrawal, or puts one back, in slices."""
    withdrawal_job.run(withdrawal_id)


def run_rescan(rescan_id: int) -> None:
    """Scans again what arrived lately, in slices."""
    rescan_job.run(rescan_id)


def schedule_jobs() -> None:
    """Creates or updates the schedules."""
    for name, (schedule_type, minutes) in JOBS.items():
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": f"engine.incidents.tasks.{name.partition('.')[2]}",
                "schedule_type": schedule_type,
                "minutes": minutes,
                "cluster": Lane.LONG,
            },
        )
