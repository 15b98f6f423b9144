"""Sends the notices that outcomes require, apart from recording the outcomes.

A message that a next hop took must become RELAYED whatever happens next, or it is sent
again. So the outcome is committed with a `PendingNotice`, and the notice is written in a
transaction of its own. One that cannot be written is retried later and blocks no other.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from engine.database import clock
from engine.mail.smtp_replies import Reply
from engine.queue.automatic_mail import list_bounces
from engine.queue.delivery import due_recipients
from engine.queue.models import PendingNotice, Recipient
from engine.queue.notifications import sender_dsn
from engine.transport.parcel import Outcome, OutcomeState

log = logging.getLogger(__name__)

LIMIT = 200  # notices in one sweep
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
DOUBLINGS = 6  # of the first pause, until it exceeds the longest
# Details of the conversation that a notice needs; the rest is for the trace only.
FACTS = ("next_hop", "passes_dsn")


def record_outcome_notices(
    outcomes: Iterable[tuple[Recipient, Outcome]], *, now: datetime
) -> list[int]:
    """Records which notices the outcomes require, in the caller's transaction.

    Returns the ids to pass to `send` once that transaction is committed.
    """
    pending = [
        PendingNotice(
            recipient=row,
            state=outcome.state.value,
            reply=str(outcome.reply),
            detail={n: outcome.detail[n] for n in FACTS if n in outcome.detail},
            due_at=now,
        )
        for row, outcome in outcomes
        if sender_dsn.is_wanted(row, outcome) or list_bounces.is_noted(row, outcome)
    ]
    return _save(pending)


def record_delay_notices(rows: Iterable[Recipient], *, now: datetime) -> list[int]:
    """Records a notice for each recipient whose mail is delayed and who allows one."""
    concerned = [row for row in rows if row.wants("DELAY")]
    untried = {row.destination for row in concerned if not row.last_reply}
    replies = due_recipients.outage_replies(untried)
    return _save(
        [
            PendingNotice(
                recipient=row,
                state=PendingNotice.DELAYED,
                reply=row.last_reply
                or replies[row.destination]
                or str(sender_dsn.WAITING),
                due_at=now,
            )
            for row in concerned
        ]
    )


def send(ids: Collection[int]) -> None:
    """Sends these notices, one message at a time; one that fails is retried later."""
    by_message: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    rows = PendingNotice.objects.filter(pk__in=ids).order_by("pk")
    for pk, message_id, state in rows.values_list(
        "pk", "recipient__message_id", "state"
    ):
        by_message[message_id, state].append(pk)
    for group in by_message.values():
        try:
            _send_one(group)
        except Exception:
            log.exception("notices %s could not be written and are put off", group)
            _postpone(group)


def send_due() -> None:
    """Sends notices that were postponed, or were left by a process that died."""
    due = PendingNotice.objects.filter(due_at__lte=clock.now()).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:LIMIT])
    if ids:
        send(ids)


@transaction.atomic
def _send_one(ids: Sequence[int]) -> None:
    """Sends the notices of one message and one state, unless another process holds them."""
    rows = list(
        PendingNotice.objects.filter(pk__in=ids)
        .select_related("recipient__message__content")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")
    )
    if not rows:
        return
    if rows[0].state == PendingNotice.DELAYED:
        sender_dsn.send_delays((row.recipient, row.reply) for row in rows)
    else:
        outcomes = [(row.recipient, _outcome(row)) for row in rows]
        sender_dsn.send_outcomes(outcomes)
        list_bounces.note_outcomes(outcomes)
    PendingNotice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _postpone(ids: Sequence[int]) -> None:
    # In a transaction of its own: the one that failed has been rolled back.
    now = clock.now()
    for row in PendingNotice.objects.filter(pk__in=ids):
        pause = min(FIRST_PAUSE * 2 ** min(row.attempts, DOUBLINGS), LONGEST_PAUSE)
        PendingNotice.objects.filter(pk=row.pk).update(
            attempts=F("attempts") + 1, due_at=now + pause
        )


def _outcome(row: PendingNotice) -> Outcome:
    state, reply = OutcomeState(row.state), Reply.parse(row.reply)
    return Outcome(row.recipient_id, state, reply, row.detail)


def _save(pending: list[PendingNotice]) -> list[int]:
    if not pending:
        return []
    return [row.pk for row in PendingNotice.objects.bulk_create(pending)]
