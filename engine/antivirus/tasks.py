"""Background jobs for quarantine and the scanners, and their schedules.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.antivirus import quarantine
from engine.antivirus.scanners import coverage_proof


def let_go() -> int:
    """Deletes quarantined copies that are past their retention."""
    return quarantine.purge()


def prove() -> int:
    """Proves what each scanner opens; returns the number of scanners."""
    return len(coverage_proof.prove())


def schedule_jobs() -> None:
    """Creates or updates the schedules."""
    Schedule.objects.update_or_create(
        name="antivirus.let_go",
        defaults={
            "func": "engine.antivirus.tasks.let_go",
            "schedule_type": Schedule.DAILY,
        },
    )
    Schedule.objects.update_or_create(
        name="antivirus.prove",
        defaults={
            "func": "engine.antivirus.tasks.prove",
            "schedule_type": Schedule.HOURLY,
        },
    )
