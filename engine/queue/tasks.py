"""Background jobs of the queue, and their schedule."""

from __future__ import annotations

from django_q.models import Schedule

from engine.lanes import Lane
from engine.queue import delivery_keys, finished_mail_purge, recall


# The dotted paths of these functions are stored in the schedule and in queued jobs, so
# their names outlive a rename.
def let_go() -> int:
    """Purges finished messages, and the community's keys to those that stay a while."""
    return delivery_keys.release() + finished_mail_purge.purge()


def finish_recall(reference: str, reason: str, audit_key: str, name: str) -> None:
    """Recalls a message from the mailboxes that its author did not wait for."""
    recall.finish(reference, reason, recall.Author(audit_key, name))


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="queue.let_go",
        defaults={
            "func": "engine.queue.tasks.let_go",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "cluster": Lane.LONG,
        },
    )
