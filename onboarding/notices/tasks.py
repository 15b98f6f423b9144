"""Background jobs that send notices.

Queued jobs and schedules in the database name these functions by path: keep the names.
"""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from onboarding.notices import audit_scan, delivery


def start() -> None:
    """Queues a delivery run. Two runs are harmless: each notice is sent once."""
    async_task("onboarding.notices.tasks.send", group="notices")


def send() -> int:
    """Job: scans the audit trail, then sends the notices due. Returns how many."""
    try:
        audit_scan.scan()
    finally:
        # A fault in the scan must not hold back notices that are in the outbox already.
        sent = delivery.send_due()
    return sent


def send_and_tidy() -> int:
    """Scheduled job: purges old notices and sends what an earlier run left waiting."""
    delivery.purge_old()
    return send()


def schedule_jobs() -> None:
    """Registers the scheduled job. Idempotent."""
    Schedule.objects.update_or_create(
        name="onboarding.send_notices",
        defaults={
            "func": "onboarding.notices.tasks.send_and_tidy",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
