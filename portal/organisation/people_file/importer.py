"""Imports the people of a file in slices, in one transaction for each person.

Running it again continues where it stopped.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction

from engine.database import clock
from engine.lanes import Lane
from engine.registry.actions import people
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.account_admin import tasks
from portal.organisation.models import PeopleFile, PeopleFileStatus
from portal.organisation.people_file.dry_run import is_there

# At 0.4 s a person at worst (measured), a slice takes seconds: other long jobs run in
# between, and no slice comes near the time limit of a job.
PEOPLE_AT_ONCE = 25


def run(people_file_id: int) -> bool:
    """Adds the next people; returns whether more are left."""
    # Once for a slice, as they never change: 5,000 rows take longer to read than one
    # person takes to add.
    rows = PeopleFile.objects.values_list("rows", flat=True).get(pk=people_file_id)
    for _ in range(PEOPLE_AT_ONCE):
        began = time.perf_counter()
        if not _add_next(people_file_id, rows):
            return False
        # As long a rest as the work took: without it mail to mailboxes here took up to
        # 1.3 times as long on two cores (95 in 100).
        time.sleep(time.perf_counter() - began)
    return True


@transaction.atomic
def _add_next(people_file_id: int, rows: list[dict[str, Any]]) -> bool:
    """Processes the next row; returns False when none is left.

    The file is locked, so that two workers add no one twice.
    """
    unread = PeopleFile.objects.defer("rows")
    file = unread.select_for_update().get(pk=people_file_id)
    if file.status != PeopleFileStatus.LOADING:
        return False
    if file.done_count >= len(rows):
        file.status, file.finished_at = PeopleFileStatus.DONE, clock.now()
        file.save(update_fields=["status", "finished_at"])
        return False
    try:
        with transaction.atomic():
            file.added_count += _add(file, dict(rows[file.done_count]))
    except PolicyError as fault:
        file.faults.append((0, str(fault)))
    file.done_count += 1
    file.moved_at = clock.now()
    file.save(update_fields=["done_count", "added_count", "faults", "moved_at"])
    return True


def _add(file: PeopleFile, fields: dict[str, Any]) -> bool:
    """Adds one person, unless the person exists by now."""
    address = fields.pop("address")
    if is_there(file.organisation, address):
        return False
    person: Person = people.add(
        file.organisation,
        address=address,
        by=file.uploaded_by,
        **fields,
    )
    if file.sends_links and person.notice_address:
        # In the lane of the import, so that a thousand of them delay no other notice.
        tasks.invite(person, lane=Lane.LONG)
    return True
