"""Deletes finished messages and old sending counts; the trace keeps its events longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from engine.database import batches, clock
from engine.queue import retry_schedule
from engine.queue.models import QueuedMessage, Recipient
from engine.queue.sending_rates import sending_counts
from engine.storage import message_actions

SLICE = 200  # messages in one transaction


def purge() -> int:
    """Deletes messages finished long ago, content that nothing else holds, and old counts.

    Returns the number of messages and counts.
    """
    return batches.run(_purge_messages) + batches.run(_purge_counts)


def _purge_messages() -> int:
    # Looks without a lock first: on SQLite an open transaction blocks every writer.
    now = clock.now()
    return _purge_slice(now) if _finished(now).exists() else 0


@transaction.atomic
def _purge_slice(now: datetime) -> int:
    locked = _finished(now).select_for_update(skip_locked=True, of=("self",))
    rows = dict(locked.order_by("accepted_at").values_list("pk", "content_id")[:SLICE])
    Recipient.objects.filter(message__in=rows).delete()
    QueuedMessage.objects.filter(pk__in=rows).delete()
    message_actions.delete_unreferenced(set(rows.values()))
    return len(rows)


def _purge_counts() -> int:
    return sending_counts.purge(clock.now())


def _finished(now: datetime) -> QuerySet[QueuedMessage]:
    """Returns messages accepted long ago whose recipients all ended at least a day ago."""
    kept = timedelta(days=settings.POSTERN.queue_days)
    unfinished = Recipient.objects.filter(
        Q(finished_at=None)
        | Q(finished_at__gt=now - retry_schedule.RETENTION_AFTER_END),
        message=OuterRef("pk"),
    )
    old = QueuedMessage.objects.filter(accepted_at__lte=now - kept)
    return old.exclude(Exists(unfinished))
