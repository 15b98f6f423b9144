"""Background jobs that mail entries to requesters.

django-q2 keeps the dotted path of a job in the database, so that the function names have
to survive an upgrade.
"""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from engine.jobs import queue
from portal.helpdesk.models import Entry
from portal.helpdesk.outgoing import reply_message


def start(entry_id: int) -> None:
    """Queues the job that sends one entry."""
    async_task("portal.helpdesk.outgoing.tasks.send", entry_id)


def send(entry_id: int) -> None:
    """Sends one entry; sending it twice is harmless."""
    reply_message.send(entry_id)


def send_waiting() -> int:
    """Queues a job for each unsent entry that has none; returns how many."""
    waiting = Entry.objects.to_send().values_list("pk", flat=True)
    return queue.add_missing("portal.helpdesk.outgoing.tasks.send", waiting)


def schedule_jobs() -> None:
    """Registers the schedule. Safe to run after each migration."""
    Schedule.objects.update_or_create(
        name="helpdesk.send_waiting",
        defaults={
            "func": "portal.helpdesk.outgoing.tasks.send_waiting",
            "schedule_type": Schedule.MINUTES,
            "minutes": 5,
        },
    )
