"""Sends the notices that outcomes ask for, apart from writing down the outcomes.

What a next hop took must be RELAYED whatever happens next, or it is sent again. So the
outcome is committed with a `PendingNotice`, and the notice is written afterwards. One
that cannot be written stands aside and is tried again; it stops no other.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from engine import clock
from engine.mail.smtp_replies import Reply
from engine.queue.automatic_mail import list_bounces
from engine.queue.delivery import due_recipients as due
from engine.queue.models import PendingNotice, Recipient
from engine.queue.notifications import sender_dsn
from engine.transport.parcel import Outcome, OutcomeState

log = logging.getLogger(__name__)

LIMIT = 200  # in one go
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
DOUBLINGS = 6  # until it is the longest
# What a notice says of the conversation; the rest of the detail is the trace's.
FACTS = ("next_hop", "passes_dsn")


def note(settled: Iterable[tuple[Recipient, Outcome]], *, now: datetime) -> list[int]:
    """Write down which notices the outcomes ask for, in the caller's transaction.

    Returns the ids to give to `send` once that is committed.
    """
    asked = [
        PendingNotice(
            recipient=row,
            state=outcome.state.value,
            reply=str(outcome.reply),
            detail={n: outcome.detail[n] for n in FACTS if n in outcome.detail},
            due_at=now,
        )
        for row, outcome in settled
        if sender_dsn.is_due(row, outcome) or list_bounces.is_due(row, outcome)
    ]
    return _keep(asked)


def note_delays(rows: Iterable[Recipient], *, now: datetime) -> list[int]:
    """The same for recipients whose mail takes long."""
    concerned = [row for row in rows if row.wants("DELAY")]
    said = due.said_at({row.destination for row in concerned if not row.last_reply})
    return _keep(
        [
            PendingNotice(
                recipient=row,
                state=PendingNotice.DELAYED,
                reply=row.last_reply
                or said[row.destination]
                or str(sender_dsn.WAITING),
                due_at=now,
            )
            for row in concerned
        ]
    )


def send(ids: Collection[int]) -> None:
    """Send these notices: one for each message, whatever becomes of the others."""
    together: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    rows = PendingNotice.objects.filter(pk__in=ids).order_by("pk")
    for pk, message_id, state in rows.values_list(
        "pk", "recipient__message_id", "state"
    ):
        together[message_id, state].append(pk)
    for group in together.values():
        try:
            _send_one(group)
        except Exception:
            log.exception("notices %s could not be written and are put off", group)
            _put_off(group)


def send_due() -> None:
    """Send what was put off, or was left by a process that died."""
    due = PendingNotice.objects.filter(due_at__lte=clock.now()).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:LIMIT])
    if ids:
        send(ids)


@transaction.atomic
def _send_one(ids: Sequence[int]) -> None:
    """The notices of one message and one kind, unless another process is at them."""
    rows = list(
        PendingNotice.objects.filter(pk__in=ids)
        .select_related("recipient__message__content")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")
    )
    if not rows:
        return
    if rows[0].state == PendingNotice.DELAYED:
        sender_dsn.tell_of_delay((row.recipient, row.reply) for row in rows)
    else:
        settled = [(row.recipient, _outcome(row)) for row in rows]
        sender_dsn.tell(settled)
        list_bounces.note(settled)
    PendingNotice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _put_off(ids: Sequence[int]) -> None:
    now = clock.now()
    for row in PendingNotice.objects.filter(pk__in=ids):
        pause = min(FIRST_PAUSE * 2 ** min(row.attempts, DOUBLINGS), LONGEST_PAUSE)
        PendingNotice.objects.filter(pk=row.pk).update(
            attempts=F("attempts") + 1, due_at=now + pause
        )


def _outcome(row: PendingNotice) -> Outcome:
    state, reply = OutcomeState(row.state), Reply.parse(row.reply)
    return Outcome(row.recipient_id, state, reply, row.detail)


def _keep(asked: list[PendingNotice]) -> list[int]:
    if not asked:
        return []
    return [row.pk for row in PendingNotice.objects.bulk_create(asked)]
