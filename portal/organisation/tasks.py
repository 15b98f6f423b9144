"""Background jobs of the organisation pages."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from portal.account_admin.tasks import send_invitation
from portal.organisation.mail import mail_days

# An earlier path of this job, which may still be in the queue after an upgrade.
__all__ = ["count_mail", "schedule_jobs", "send_invitation"]


# Jobs are named by their dotted path, in the queue and in schedules. A job already waiting
# must run after an upgrade, so that the path must not change.
def count_mail() -> None:
    """Scheduled job: counts the mail of each organisation by day."""
    mail_days.count_all()


def schedule_jobs() -> None:
    """Registers the scheduled jobs. Idempotent."""
    Schedule.objects.update_or_create(
        name="organisation.count_mail",
        defaults={
            "func": "portal.organisation.tasks.count_mail",
            "schedule_type": Schedule.MINUTES,
            "minutes": 10,
            "cluster": Lane.LONG,
        },
    )
