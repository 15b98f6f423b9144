"""Background jobs of the message store, and their schedules.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.storage import orphaned_files, trash_purge
from engine.storage.organising import assignments
from engine.storage.search import index_choice, indexer

JOBS = {
    "storage.index_messages": (Schedule.MINUTES, 1),
    "storage.let_go": (Schedule.HOURLY, None),
    "storage.sweep_files": (Schedule.HOURLY, None),
}


def index_messages() -> int:
    """Indexes delivered messages for search."""
    return indexer.index_waiting()


def let_go() -> int:
    """Erases expired messages in Deleted and Junk."""
    return trash_purge.purge()


def sweep_files() -> int:
    """Deletes files that no row refers to."""
    return orphaned_files.delete_orphans()


def apply_index_choice(organisation_id: int, after: int) -> None:
    """Makes or deletes the index of an organisation, in slices."""
    left = index_choice.apply_slice(organisation_id, after)
    if left is not None:
        jobs.add(index_choice.JOB, organisation_id, left, lane=Lane.LONG)


def end_assignments(person_id: int, mailbox_id: int) -> None:
    """Ends the assignments of a person who may not read a mailbox, in slices."""
    if assignments.end_slice(person_id, mailbox_id):
        jobs.add(assignments.JOB, person_id, mailbox_id)


def schedule_jobs() -> None:
    """Creates or updates the schedules."""
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
