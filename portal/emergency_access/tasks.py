"""Background jobs of emergency access, and their schedule.

The dotted paths of these functions are stored in schedules and in queued jobs, so their
names outlive a rename.
"""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from portal.emergency_access import actions, emails
from portal.emergency_access.models import EmergencyAccess


def send_mail(access_id: int, step: str) -> None:
    """Sends the mail about a step, which actions queues. See emails.Step."""
    rows = EmergencyAccess.objects.select_related("holder", "requested_by")
    emails.send(rows.get(pk=access_id), emails.Step(step))


def close_overdue() -> int:
    """Scheduled job: closes what has run out."""
    return actions.close_overdue()


def schedule_jobs() -> None:
    """Registers the scheduled job. Idempotent."""
    Schedule.objects.update_or_create(
        name="emergency_access.close_overdue",
        defaults={
            "func": "portal.emergency_access.tasks.close_overdue",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.QUICK,
        },
    )
