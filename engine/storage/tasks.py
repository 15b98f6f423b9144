"""Jobs that look after what is kept."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.storage import retention, sweep
from engine.storage.search import index

JOBS = {
    "storage.index_messages": (Schedule.MINUTES, 1),
    "storage.let_go": (Schedule.HOURLY, None),
    "storage.sweep_files": (Schedule.HOURLY, None),
}


def index_messages() -> int:
    return index.sweep()


def let_go() -> int:
    return retention.sweep()


def sweep_files() -> int:
    return sweep.sweep()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    for name, (schedule_type, minutes) in JOBS.items():
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": f"engine.storage.tasks.{name.partition('.')[2]}",
                "schedule_type": schedule_type,
                "minutes": minutes,
                "cluster": Lane.LONG,
            },
        )
