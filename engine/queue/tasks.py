"""Background jobs of the queue, and their schedule."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.queue import delivery_keys, finished_mail_purge, recall
from engine.queue.notifications import tls_report_sending


# The dotted paths of these functions are stored in the schedule and in queued jobs, so
# their names outlive a rename.
def let_go() -> int:
    """Purges finished messages, and the community's keys to those that stay a while."""
    return delivery_keys.release() + finished_mail_purge.purge()


def finish_recall(reference: str, reason: str, audit_key: str, name: str) -> None:
    """Recalls a message from the mailboxes that its author did not wait for."""
    recall.finish(reference, reason, recall.Author(audit_key, name))


def send_tls_reports() -> int:
    """Sends other servers' operators the reports of TLS that they ask for."""
    return tls_report_sending.send_due()


def schedule_jobs() -> None:
    """Creates or updates the schedules."""
    Schedule.objects.update_or_create(
        name="queue.send_tls_reports",
        defaults={
            "func": "engine.queue.tasks.send_tls_reports",
            "schedule_type": Schedule.HOURLY,
            "cluster": Lane.LONG,
        },
    )
    Schedule.objects.update_or_create(
        name="queue.let_go",
        defaults={
            "func": "engine.queue.tasks.let_go",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.LONG,
        },
    )
