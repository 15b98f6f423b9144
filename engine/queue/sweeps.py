"""What happens by the clock alone: giving up, saying that it takes long, letting go."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from engine.mail.reply import MAILBOX_FULL, Reply
from engine.queue import (
    errands,
    notices,
    schedule,
    sending_counts,
    settle,
    suspension,
)
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.storage import actions as storage
from engine.transport.base import Outcome, OutcomeState

LIMIT = 200  # recipients in one go

EXPIRED = Reply(554, "5.4.7", "It could not be delivered in time")
STAYED_FULL = Reply(552, "5.2.2", "The mailbox was full, and stayed so")


def sweep() -> None:
    """Do everything that is due. Cheap when nothing is."""
    if _expired().exists():
        give_up()
    if _slow().exists():
        tell_of_delay()
    if Recipient.objects.filter(
        status=RecipientStatus.HELD, hold=Hold.SUSPENSION
    ).exists():
        suspension.release_resumed()
    if _finished().exists():
        purge()
    sending_counts.sweep(timezone.now().timestamp())
    errands.run()


@transaction.atomic
def give_up() -> None:
    """Return what has waited for its whole life, with the last thing heard."""
    rows = _locked(_expired())
    settle.apply(
        {row.pk: row for row in rows},
        [Outcome(row.pk, OutcomeState.FAILED, _last_word(row)) for row in rows],
    )


@transaction.atomic
def tell_of_delay() -> None:
    """Tell each sender once that a recipient's mail is taking long."""
    rows = _locked(_slow())
    Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(
        delay_noticed_at=timezone.now()
    )
    notices.tell_of_delay(rows)


@transaction.atomic
def purge() -> None:
    """Forget what is long finished, and its bytes where nobody holds them any more.

    The trace goes on telling what became of it.
    """
    locked = _finished().select_for_update(skip_locked=True, of=("self",))
    rows = dict(locked.order_by("accepted_at").values_list("pk", "content_id")[:LIMIT])
    Recipient.objects.filter(message__in=rows).delete()
    QueuedMessage.objects.filter(pk__in=rows).delete()
    storage.drop_unheld(set(rows.values()))


def _finished() -> QuerySet[QueuedMessage]:
    """Accepted long ago, and nothing has happened to it for a day."""
    now = timezone.now()
    alive = Recipient.objects.filter(
        Q(finished_at=None) | Q(finished_at__gt=now - schedule.RETENTION_AFTER_END),
        message=OuterRef("pk"),
    )
    old = QueuedMessage.objects.filter(accepted_at__lte=now - schedule.RETENTION)
    return old.exclude(Exists(alive))


def _expired() -> QuerySet[Recipient]:
    return _waiting().filter(message__expires_at__lte=timezone.now())


def _slow() -> QuerySet[Recipient]:
    since = timezone.now() - schedule.DELAY_NOTICE_AFTER
    return _waiting().filter(
        message__accepted_at__lte=since, delay_noticed_at=None, attempts__gt=0
    )


def _waiting() -> QuerySet[Recipient]:
    free = Q(leased_until=None) | Q(leased_until__lte=timezone.now())
    return Recipient.objects.filter(free, status=RecipientStatus.QUEUED)


def _locked(rows: QuerySet[Recipient]) -> list[Recipient]:
    claimed = rows.select_for_update(skip_locked=True, of=("self",))
    return list(claimed.select_related("message").order_by("pk")[:LIMIT])


def _last_word(row: Recipient) -> Reply:
    if not row.last_reply:
        return EXPIRED
    if row.last_reply == str(MAILBOX_FULL):
        return STAYED_FULL
    return EXPIRED.saying(f"{EXPIRED.text}; the last answer was: {row.last_reply}")
