"""The background job that imports a file of people."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.lanes import Lane
from portal.organisation.people_file import importer


def start(people_file_id: int) -> None:
    """Queues the import, in the caller's transaction."""
    async_task(
        "portal.organisation.people_file.tasks.run", people_file_id, cluster=Lane.LONG
    )


def run(people_file_id: int) -> None:
    """Imports the next people; queues another job for the rest, behind waiting ones."""
    if importer.run(people_file_id):
        start(people_file_id)
