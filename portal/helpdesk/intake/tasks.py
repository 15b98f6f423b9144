"""Jobs that read the helpdesk's mailbox."""

from __future__ import annotations

from django_q.models import Schedule

from portal.helpdesk.intake import collect


def collect_mail() -> int:
    """Take in what came since the last run; returns how many messages that were."""
    return collect.collect()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="helpdesk.collect_mail",
        defaults={
            "func": "portal.helpdesk.intake.tasks.collect_mail",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
