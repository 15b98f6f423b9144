"""The door through which a worker adds the people of a file."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.lanes import Lane
from portal.organisation.people_file import importer


def start(people_file_id: int) -> None:
    """Queue the work, with the transaction that asks for it."""
    async_task(
        "portal.organisation.people_file.tasks.run", people_file_id, cluster=Lane.LONG
    )


def run(people_file_id: int) -> None:
    """Add the next few; what is left is a job of its own, behind others that wait."""
    if importer.run(people_file_id):
        start(people_file_id)
