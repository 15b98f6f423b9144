"""Background jobs of the audit trail, and their schedules.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.audit import openings
from engine.audit.checkpoints import making, outside, verification
from engine.lanes import Lane


def make_checkpoint() -> int:
    """Signs the head of the chain where that is due, and sends what was not sent yet."""
    making.make_if_due()
    return outside.send_waiting()


def verify_chain() -> bool:
    """Goes on with the periodic verification of the chain."""
    return verification.verify_slice()


def append_openings() -> int:
    """Appends to the trail who looked at what is not theirs."""
    return openings.append_waiting()


def purge_openings() -> int:
    """Deletes the rows of openings that are listed no more."""
    return openings.purge()


def schedule_jobs() -> None:
    """Creates or updates the schedules."""
    for name, lane, minutes in (
        ("make_checkpoint", Lane.CALLS, 1),
        ("verify_chain", Lane.LONG, 1),
        ("append_openings", Lane.QUICK, 1),
        ("purge_openings", Lane.LONG, 60),
    ):
        Schedule.objects.update_or_create(
            name=f"audit.{name}",
            defaults={
                "func": f"engine.audit.tasks.{name}",
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
                "cluster": lane,
            },
        )
