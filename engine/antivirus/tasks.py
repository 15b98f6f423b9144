"""Jobs that look after quarantine and the scanners."""

from __future__ import annotations

from django_q.models import Schedule

from engine.antivirus import actions
from engine.antivirus.scanners import coverage_proof


def let_go() -> int:
    return actions.let_go()


def prove() -> int:
    """Try what the scanners open, and return how many there are."""
    return len(coverage_proof.prove())


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
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
