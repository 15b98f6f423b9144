"""Jobs that send replies."""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from portal.helpdesk.models import Entry
from portal.helpdesk.outgoing import letter

# Replies in one run of the clock, so that it ends.
MOST_AT_ONCE = 200


def start(entry_id: int) -> None:
    """Have a worker send one entry."""
    async_task("portal.helpdesk.outgoing.tasks.send", entry_id)


def send(entry_id: int) -> None:
    letter.send(entry_id)


def send_waiting() -> int:
    """Send what a crash or a passing fault left; runs by schedule. Returns how many."""
    waiting = Entry.objects.to_send().values_list("pk", flat=True)[:MOST_AT_ONCE]
    for entry_id in list(waiting):
        start(entry_id)
    return len(waiting)


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="helpdesk.send_waiting",
        defaults={
            "func": "portal.helpdesk.outgoing.tasks.send_waiting",
            "schedule_type": Schedule.MINUTES,
            "minutes": 5,
        },
    )
