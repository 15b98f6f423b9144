"""Jobs that look after what is kept."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.storage import orphaned_files, trash_purge
from engine.storage.search import indexer

JOBS = {
    "storage.index_messages": (Schedule.MINUTES, 1),
    "storage.let_go": (Schedule.HOURLY, None),
    "storage.sweep_files": (Schedule.HOURLY, None),
}


def index_messages() -> int:
    return indexer.sweep()


def let_go() -> int:
    return trash_purge.sweep()


def sweep_files() -> int:
    return orphaned_files.sweep()


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
