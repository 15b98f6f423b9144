"""Periodic work on the queue: returns expired mail, requests delay notices, and the like."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from engine.database import clock
from engine.mail.smtp_replies import MAILBOX_FULL, Reply
from engine.queue import retry_schedule
from engine.queue.automatic_mail import forwards_and_replies
from engine.queue.delivery import due_recipients, outcome_recording, suspension
from engine.queue.models import Recipient, RecipientStatus
from engine.queue.notifications import pending_notices
from engine.transport.parcel import Outcome, OutcomeState

log = logging.getLogger(__name__)

LIMIT = 200  # recipients in one run of a step

EXPIRED = Reply(554, "5.4.7", "It could not be delivered in time")
STAYED_FULL = Reply(552, "5.2.2", "The mailbox stayed full")


def run_due() -> None:
    """Runs every step. Cheap when nothing is due.

    A step that fails is logged and repeated with the next run; it stops no other.
    """
    now = clock.now()
    steps: tuple[Callable[[], object], ...] = (
        partial(return_expired, now),
        partial(request_delay_notices, now),
        partial(suspension.release_resumed, now),
        pending_notices.send_due,  # after the steps above, which add to them
        forwards_and_replies.send_due,
    )
    for step in steps:
        try:
            step()
        except Exception:
            log.exception("a step of the queue's maintenance failed")


def return_expired(now: datetime) -> None:
    """Fails recipients whose message has expired, with the last reply that they got."""
    # Looks before it opens the transaction, which on SQLite blocks every other writer.
    if not _expired(now).exists():
        return
    with transaction.atomic():
        rows = _lock(_expired(now))
        untried = {row.destination for row in rows if not row.last_reply}
        replies = due_recipients.outage_replies(untried)
        outcome_recording.apply(
            {row.pk: row for row in rows},
            [
                Outcome(row.pk, OutcomeState.FAILED, _final_reply(row, replies))
                for row in rows
            ],
        )


def notify_of_distrust(distrusted: Collection[str]) -> None:
    """Has each sender notified whose mail waits for these destinations.

    Their TLS keeps failing. Mail that was tried shows it by itself; this is for mail that
    was not, because the destination was closed all the time that it has been due.
    """
    now = clock.now()
    waiting = due_recipients.due(now - retry_schedule.TLS_PATIENCE)
    _request_notices(_at_fault(waiting, distrusted, now), now)


def request_delay_notices(now: datetime) -> None:
    """Has each sender notified once that mail for a recipient is delayed."""
    _request_notices(_delayed(now), now)
    # TLS that keeps failing needs somebody to mend it: its senders hear of it earlier.
    failing = _waiting(now).filter(
        tls_failures__gte=retry_schedule.TLS_FAILURES,
        tls_failing_since__lte=now - retry_schedule.TLS_PATIENCE,
        delay_noticed_at=None,
    )
    names = failing.order_by().values_list("destination", flat=True).distinct()
    _request_notices(_at_fault(failing, set(names), now), now)


def _at_fault(
    waiting: QuerySet[Recipient], destinations: Collection[str], now: datetime
) -> QuerySet[Recipient]:
    """Returns those for which no sender was notified and that no other engine delivers.

    Where the destination took mail meanwhile, the fault is this engine's.
    """
    since = now - retry_schedule.TLS_PATIENCE
    faulty = set(destinations) - due_recipients.served_since(since, destinations)
    return waiting.filter(destination__in=faulty, delay_noticed_at=None)


def _request_notices(delayed: QuerySet[Recipient], now: datetime) -> None:
    # Looks before it opens the transaction, which on SQLite blocks every other writer.
    if not delayed.exists():
        return
    with transaction.atomic():
        rows = _lock(delayed)
        Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(
            delay_noticed_at=now
        )
        pending_notices.record_delay_notices(rows, now=now)


def _expired(now: datetime) -> QuerySet[Recipient]:
    return _waiting(now).filter(message__expires_at__lte=now)


def _delayed(now: datetime) -> QuerySet[Recipient]:
    since = now - retry_schedule.DELAY_NOTICE_AFTER
    # An untried recipient is delayed too: its destination may be known to be down.
    is_late = Q(attempts__gt=0) | Q(next_attempt_at__lte=since)
    return _waiting(now).filter(
        is_late, message__accepted_at__lte=since, delay_noticed_at=None
    )


def _waiting(now: datetime) -> QuerySet[Recipient]:
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return Recipient.objects.filter(free, status=RecipientStatus.QUEUED)


def _lock(rows: QuerySet[Recipient]) -> list[Recipient]:
    # Several engines run this at the same moment: each skips what another has locked.
    locked = rows.select_for_update(skip_locked=True, of=("self",))
    return list(locked.select_related("message").order_by("pk")[:LIMIT])


def _final_reply(row: Recipient, outage_replies: Mapping[str, str]) -> Reply:
    last = row.last_reply or outage_replies.get(row.destination, "")
    if not last:
        return EXPIRED
    if last == str(MAILBOX_FULL):
        return STAYED_FULL
    return EXPIRED.saying(f"{EXPIRED.text}; the last answer was: {last}")
