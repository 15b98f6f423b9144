"""Jobs that read the helpdesk's mailbox."""

from __future__ import annotations

from django_q.models import Schedule

from engine.storage import rule_matching
from portal.helpdesk import ticket_links
from portal.helpdesk.intake import collect

COLLECT = "helpdesk.collect_mail"


def collect_mail() -> int:
    """Take in what came since the last run; returns how many messages that were."""
    return collect.collect()


def collect_at_once() -> None:
    """Take mail in as soon as it is delivered; the clock is for what was missed."""
    rule_matching.collect_by(COLLECT, lambda: ticket_links.helpdesk_address().key)


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name=COLLECT,
        defaults={
            "func": "portal.helpdesk.intake.tasks.collect_mail",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
