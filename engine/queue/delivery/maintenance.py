"""What happens by the clock alone: giving up, and saying that it takes long."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from engine import clock
from engine.mail.smtp_replies import MAILBOX_FULL, Reply
from engine.queue import retry_schedule
from engine.queue.automatic_mail import forwards_and_replies
from engine.queue.delivery import due_recipients, outcome_recording, suspension
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.notifications import pending_notices
from engine.transport.parcel import Outcome, OutcomeState

log = logging.getLogger(__name__)

LIMIT = 200  # recipients in one go

EXPIRED = Reply(554, "5.4.7", "It could not be delivered in time")
STAYED_FULL = Reply(552, "5.2.2", "The mailbox was full, and stayed so")


def sweep() -> None:
    """Do everything that is due. Cheap when nothing is.

    A step that fails is logged and done again with the next sweep; it stops no other.
    """
    now = clock.now()
    steps: tuple[Callable[[], object], ...] = (
        partial(give_up, now),
        partial(note_delays, now),
        partial(suspension.release_resumed, now),
        pending_notices.send_due,  # what the others just asked for, too
        forwards_and_replies.run,
    )
    for step in steps:
        try:
            step()
        except Exception:
            log.exception("a step of the queue's sweep failed")


def give_up(now: datetime) -> None:
    """Return what has waited for its whole life, with the last thing heard."""
    if not _expired(now).exists():
        return
    with transaction.atomic():
        rows = _locked(_expired(now))
        said = due_recipients.said_at(
            {row.destination for row in rows if not row.last_reply}
        )
        outcome_recording.apply(
            {row.pk: row for row in rows},
            [
                Outcome(row.pk, OutcomeState.FAILED, _last_word(row, said))
                for row in rows
            ],
        )


def give_up_on_tls(distrusted: Mapping[str, str]) -> None:
    """Return what has waited long for a destination that cannot be trusted.

    `distrusted` holds the last reply by destination. What was tried itself is given up by
    its own count (`settle`); this is for what was not, as the destination was left alone
    all the time that it has been due. What others deliver is not returned.
    """
    if not distrusted:
        return
    since = clock.now() - retry_schedule.TLS_PATIENCE
    waiting = due_recipients.rows(since).filter(destination__in=distrusted)
    with transaction.atomic():
        rows = _locked(waiting)
        served = due_recipients.served_since(since, {row.destination for row in rows})
        lost = [row for row in rows if row.destination not in served]
        outcome_recording.apply(
            {row.pk: row for row in lost},
            [
                Outcome(
                    row.pk,
                    OutcomeState.FAILED,
                    outcome_recording.made_final(
                        Reply.parse(distrusted[row.destination])
                    ),
                )
                for row in lost
            ],
        )


def note_delays(now: datetime) -> None:
    """Have each sender told once that a recipient's mail is taking long."""
    if not _slow(now).exists():
        return
    with transaction.atomic():
        rows = _locked(_slow(now))
        Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(
            delay_noticed_at=now
        )
        pending_notices.note_delays(rows, now=now)


def _expired(now: datetime) -> QuerySet[Recipient]:
    return _waiting(now).filter(message__expires_at__lte=now)


def _slow(now: datetime) -> QuerySet[Recipient]:
    since = now - retry_schedule.DELAY_NOTICE_AFTER
    # What was never tried waits too, where its destination is known to be down.
    return _waiting(now).filter(
        Q(attempts__gt=0) | Q(next_attempt_at__lte=since),
        message__accepted_at__lte=since,
        delay_noticed_at=None,
    )


def _waiting(now: datetime) -> QuerySet[Recipient]:
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return Recipient.objects.filter(free, status=RecipientStatus.QUEUED)


def _locked(rows: QuerySet[Recipient]) -> list[Recipient]:
    claimed = rows.select_for_update(skip_locked=True, of=("self",))
    return list(claimed.select_related("message").order_by("pk")[:LIMIT])


def _last_word(row: Recipient, said_there: Mapping[str, str]) -> Reply:
    said = row.last_reply or said_there.get(row.destination, "")
    if not said:
        return EXPIRED
    if said == str(MAILBOX_FULL):
        return STAYED_FULL
    return EXPIRED.saying(f"{EXPIRED.text}; the last answer was: {said}")
