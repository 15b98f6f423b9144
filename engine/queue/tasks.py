"""Jobs that look after the queue's tables."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.queue import finished_mail_purge


def let_go() -> int:
    return finished_mail_purge.let_go()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="queue.let_go",
        defaults={
            "func": "engine.queue.tasks.let_go",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.LONG,
        },
    )
