"""Actions on a file of people: checking it, and starting the import."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction

from engine.audit.record import record
from engine.database import clock
from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from portal.organisation.models import PeopleFile, PeopleFileStatus
from portal.organisation.people_file import csv_reader, dry_run, tasks


def check(
    organisation: Organisation,
    raw: bytes,
    *,
    name: str,
    sends_links: bool,
    by: Person,
) -> PeopleFile:
    """Scans, reads and tries a file, without adding anyone. Raises PolicyError."""
    upload_scan.check_is_clean(raw, by=by)
    trial = dry_run.try_rows(organisation, csv_reader.read(raw))
    return PeopleFile.objects.create(
        organisation=organisation,
        uploaded_by=by,
        name=name[:200],
        sends_links=sends_links,
        **asdict(trial),
    )


@transaction.atomic
def start(people_file: PeopleFile, *, by: Person) -> None:
    """Queues the import, or resumes one that stalled.

    Does nothing while the import runs or once it is done. Raises PolicyError.
    """
    row = PeopleFile.objects.select_for_update().get(pk=people_file.pk)
    if row.is_stalled(clock.now()):
        _resume(row, by=by)
    if row.status != PeopleFileStatus.CHECKED:
        return
    if not row.rows:
        raise PolicyError("This file contains no one to add.")
    row.status, row.moved_at = PeopleFileStatus.LOADING, clock.now()
    row.save(update_fields=["status", "moved_at"])
    record(
        "people_file.started",
        row,
        organisation_key=row.organisation_id,
        detail={"people": len(row.rows)},
        by=by,
    )
    tasks.start(row.pk)


def _resume(row: PeopleFile, *, by: Person) -> None:
    row.moved_at = clock.now()
    row.save(update_fields=["moved_at"])
    record(
        "people_file.resumed",
        row,
        organisation_key=row.organisation_id,
        detail={"done": row.done_count, "people": len(row.rows)},
        by=by,
    )
    tasks.start(row.pk)
