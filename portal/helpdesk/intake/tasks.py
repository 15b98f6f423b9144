"""Background jobs that collect the helpdesk's mail.

django-q2 keeps the dotted path of a job in the database, so that the function names have
to survive an upgrade.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.storage import mailbox_triggers
from portal.helpdesk import ticket_links
from portal.helpdesk.intake import collect

COLLECT = "helpdesk.collect_mail"


def collect_mail() -> int:
    """Collects new messages; returns how many were processed."""
    return collect.collect()


def collect_on_arrival() -> None:
    """Starts collection as soon as mail is delivered; the schedule is the fallback."""
    mailbox_triggers.run_on_arrival(
        COLLECT, lambda: ticket_links.helpdesk_address().key
    )


def schedule_jobs() -> None:
    """Registers the schedule. Safe to run after each migration."""
    Schedule.objects.update_or_create(
        name=COLLECT,
        defaults={
            "func": "portal.helpdesk.intake.tasks.collect_mail",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
