"""Imports the people of a file in slices, each in one transaction.

Running it again continues where it stopped.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, cast

from django.db import transaction

from engine.database import clock
from engine.lanes import Lane
from engine.registry.actions import members
from engine.registry.models import Person
from engine.storage.models import Content
from portal.account_admin import tasks
from portal.organisation.models import PeopleFile, PeopleFileStatus

# Few enough that other changes to the registry, which wait for its lock, wait little.
PEOPLE_AT_ONCE = 25
# Other long jobs run in between, and no job comes near its time limit.
SECONDS_AT_ONCE = 2.0
# Rests between slices, in times of the work: every process of the engine reads again what
# a slice wrote. On two cores 5,000 people take 15 s; beside mail, whose 95th percentile
# nearly doubled at that pace, a minute.
REST, REST_BESIDE_MAIL = 1, 8
# A message this short ago means that mail is flowing.
BESIDE_MAIL = timedelta(seconds=2)
PROGRESS = ("done_count", "added_count", "faults", "moved_at")


def run(people_file_id: int) -> bool:
    """Adds the next people; returns whether more are left."""
    # Once for a job, as they never change: 5,000 rows take long to read.
    rows = PeopleFile.objects.values_list("rows", flat=True).get(pk=people_file_id)
    until = time.monotonic() + SECONDS_AT_ONCE
    while True:
        began = time.perf_counter()
        is_left = _add_next(people_file_id, rows)
        if not is_left or time.monotonic() >= until:
            return is_left
        time.sleep(_rest(time.perf_counter() - began))


def _rest(took: float) -> float:
    """Returns the seconds to rest after a slice that took so long."""
    times = Content.objects.order_by("-id").values_list("created_at", flat=True)
    newest = times.first()
    is_beside_mail = newest is not None and clock.now() - newest < BESIDE_MAIL
    return took * (REST_BESIDE_MAIL if is_beside_mail else REST)


@transaction.atomic
def _add_next(people_file_id: int, rows: list[dict[str, Any]]) -> bool:
    """Processes the next rows; returns whether more are left.

    The file is locked, so that two workers add no one twice.
    """
    unread = PeopleFile.objects.defer("rows").select_related("organisation")
    file = unread.select_for_update(of=("self",)).get(pk=people_file_id)
    if file.status != PeopleFileStatus.LOADING:
        return False
    ahead = rows[file.done_count :][:PEOPLE_AT_ONCE]
    _add(file, ahead)
    file.done_count += len(ahead)
    file.moved_at = clock.now()
    is_done = file.done_count >= len(rows)
    if is_done:
        file.status, file.finished_at = PeopleFileStatus.DONE, file.moved_at
    # All but the rows, which never change.
    file.save(update_fields=[*PROGRESS, "status", "finished_at"])
    return not is_done


def _add(file: PeopleFile, rows: list[dict[str, Any]]) -> None:
    """Adds people, unless they exist by now."""
    keys = [row["address"] for row in rows]
    known = Person.objects.filter(organisation=file.organisation, address__in=keys)
    there = set(known.values_list("address", flat=True))
    new = [cast(members.NewMember, row) for row in rows if row["address"] not in there]
    added = members.add(file.organisation, new, by=file.uploaded_by)
    file.added_count += len(added.people)
    file.faults += [(0, fault) for fault in added.faults]
    if file.sends_links:
        for person in added.people:
            if person.notice_address:
                # In the lane of the import, so that a thousand delay no other notice.
                tasks.invite(person, lane=Lane.LONG)
