"""Jobs that send replies."""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from engine.jobs import queue
from portal.helpdesk.models import Entry
from portal.helpdesk.outgoing import reply_message


def start(entry_id: int) -> None:
    """Have a worker send one entry."""
    async_task("portal.helpdesk.outgoing.tasks.send", entry_id)


def send(entry_id: int) -> None:
    reply_message.send(entry_id)


def send_waiting() -> int:
    """Queue what has no job, whatever became of it; runs by schedule. Returns how many."""
    waiting = Entry.objects.to_send().values_list("pk", flat=True)
    return queue.add_missing("portal.helpdesk.outgoing.tasks.send", waiting)


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
