"""How long the queue remembers what is finished; the trace remembers longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from engine import clock, slices
from engine.queue import retry_schedule
from engine.queue.models import QueuedMessage, Recipient
from engine.queue.sending_rates import sending_counts
from engine.storage import message_actions as storage

SLICE = 200  # messages in one transaction


def let_go() -> int:
    """Forget what is long finished, and its bytes where nothing holds them any more.

    Returns how many rows of messages and of counts those were.
    """
    return slices.work(_messages) + slices.work(_counts)


def _messages() -> int:
    # A look takes no lock; on SQLite the transaction would keep every writer waiting.
    now = clock.now()
    return _forget_some(now) if _finished(now).exists() else 0


@transaction.atomic
def _forget_some(now: datetime) -> int:
    locked = _finished(now).select_for_update(skip_locked=True, of=("self",))
    rows = dict(locked.order_by("accepted_at").values_list("pk", "content_id")[:SLICE])
    Recipient.objects.filter(message__in=rows).delete()
    QueuedMessage.objects.filter(pk__in=rows).delete()
    storage.drop_unheld(set(rows.values()))
    return len(rows)


def _counts() -> int:
    return sending_counts.let_go(clock.now())


def _finished(now: datetime) -> QuerySet[QueuedMessage]:
    """Accepted long ago, and nothing has happened to it for a day."""
    kept = timedelta(days=settings.POSTERN.queue_days)
    alive = Recipient.objects.filter(
        Q(finished_at=None)
        | Q(finished_at__gt=now - retry_schedule.RETENTION_AFTER_END),
        message=OuterRef("pk"),
    )
    old = QueuedMessage.objects.filter(accepted_at__lte=now - kept)
    return old.exclude(Exists(alive))
