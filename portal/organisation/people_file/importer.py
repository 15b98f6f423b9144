"""Adding the people of a file, in slices, one transaction each person.

Run again, it goes on where it was.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from engine import clock
from engine.lanes import Lane
from engine.registry.actions import people
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.account_admin import tasks
from portal.organisation.models import PeopleFile, PeopleFileStatus
from portal.organisation.people_file.dry_run import is_there

# A slice takes seconds (0.4 each at worst, measured), so that other long jobs get their
# turn and none comes near the time that a job has.
PEOPLE_AT_ONCE = 25


def run(people_file_id: int) -> bool:
    """Add the next few; returns whether somebody is left."""
    return all(_add_next(people_file_id) for _ in range(PEOPLE_AT_ONCE))


@transaction.atomic
def _add_next(people_file_id: int) -> bool:
    """Deal with the next row; False when none is left.

    The row is locked: two workers at the same file take turns, and add nobody twice.
    """
    file = PeopleFile.objects.select_for_update().get(pk=people_file_id)
    if file.status != PeopleFileStatus.LOADING:
        return False
    if file.done_count >= len(file.rows):
        file.status, file.finished_at = PeopleFileStatus.DONE, clock.now()
        file.save(update_fields=["status", "finished_at"])
        return False
    try:
        with transaction.atomic():
            file.added_count += _add(file, dict(file.rows[file.done_count]))
    except PolicyError as fault:
        file.faults.append((0, str(fault)))
    file.done_count += 1
    file.moved_at = clock.now()
    file.save(update_fields=["done_count", "added_count", "faults", "moved_at"])
    return True


def _add(file: PeopleFile, fields: dict[str, Any]) -> bool:
    """Add one person, unless somebody did so meanwhile."""
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
        # In the lane of the import: a thousand of them keep no other notice waiting.
        tasks.invite(person, lane=Lane.LONG)
    return True
