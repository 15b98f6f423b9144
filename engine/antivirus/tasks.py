"""Jobs that look after quarantine."""

from __future__ import annotations

from django_q.models import Schedule

from engine.antivirus import actions


def let_go() -> int:
    return actions.let_go()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="antivirus.let_go",
        defaults={
            "func": "engine.antivirus.tasks.let_go",
            "schedule_type": Schedule.DAILY,
        },
    )
