"""Carries out withdrawals in slices, and resumes them where they were interrupted.

Each slice is a transaction of its own, and repeating one changes nothing: a copy that was
moved is not there any more. A second pass reaches what was being delivered in the first.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Q

from engine.database import batches
from engine.incidents import reach, search, withdrawals
from engine.incidents.models import MessageKey, Withdrawal, WithdrawalState
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.mail.address import Address
from engine.queue import mailbox_withdrawals, operator_actions
from engine.queue.delivery import suspension
from engine.queue.mailbox_withdrawals import SLICE, Cause
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.queue.notifications import service_notices
from engine.registry.models import Person
from engine.storage.models import WithdrawalKind, WithdrawnCopy
from engine.trace.models import Event, EventKind

PASSES = 2
LEVELS = 5  # lists within lists that are followed
NOTICE = """\
An operator of this service has withdrawn a message from your mailbox.

From: {sender}
Received: {at:%d %B %Y, %H:%M} UTC
Reason: {reason}

It was opened, fetched by a program or forwarded before. If you opened a file in it,
followed a link or typed a password, tell your IT department now, and choose another
password. If you forwarded it, warn those who have it.

Questions are for the helpdesk. The message itself can be put back by operators alone.
"""


def run(withdrawal_id: int) -> None:
    """Carries on with a withdrawal, for the time of one job; then queues the next."""
    deadline = time.monotonic() + batches.JOB_SECONDS
    while _step(withdrawal_id):
        if time.monotonic() > deadline:
            jobs.add(withdrawals.JOB, withdrawal_id, lane=Lane.LONG)
            return


def _step(withdrawal_id: int) -> bool:
    """Does the next message, or slice of copies; returns whether something is left."""
    row = Withdrawal.objects.filter(
        pk=withdrawal_id, state=WithdrawalState.RUNNING
    ).first()
    if row is None:
        return False
    return _put_back_next(row) if row.is_put_back else _withdraw_next(row)


def _withdraw_next(row: Withdrawal) -> bool:
    found = search.find(row.keys, row.since, row.until).order_by("at", "pk")
    if row.position_at is not None:
        # The first condition says nothing new; by it the index is entered.
        later = Q(at__gt=row.position_at) | Q(pk__gt=row.position_id)
        found = found.filter(later, at__gte=row.position_at)
    following = found.first()
    if following is not None:
        _withdraw_message(row, [following.reference])
    with transaction.atomic():
        _advance(row, following)
    return row.state == WithdrawalState.RUNNING


def _advance(row: Withdrawal, done: MessageKey | None) -> None:
    row.refresh_from_db()
    if done is not None:
        row.position_at, row.position_id = done.at, done.pk
        row.messages += row.passes == 0
    else:
        row.passes, row.position_at, row.position_id = row.passes + 1, None, 0
    row.save(update_fields=["position_at", "position_id", "messages", "passes"])
    if row.passes >= PASSES:
        withdrawals.finish(row)


def _withdraw_message(row: Withdrawal, references: Collection[str]) -> None:
    """Withdraws all copies of messages, and of what lists made of them."""
    for _ in range(LEVELS):
        for reference in references:
            _hold_waiting(row, reference)
            _withdraw_copies(row, reference)
        sent_on = Event.objects.filter(
            reference__in=references, kind=EventKind.EXPANDED
        ).values_list("detail__sent_on_as", flat=True)
        references = sorted({str(one) for one in sent_on if one})
        if not references:
            return


def _hold_waiting(row: Withdrawal, reference: str) -> None:
    """Holds what waits in the queue, until an operator drops it or it is put back."""
    by = _asker(row)
    waiting = Recipient.objects.filter(message__reference=reference)
    queued = waiting.filter(status=RecipientStatus.QUEUED).order_by("pk")
    suspended = waiting.filter(status=RecipientStatus.HELD, hold=Hold.SUSPENSION)
    last = 0
    while ids := list(
        queued.filter(pk__gt=last).values_list("pk", flat=True)[
            : operator_actions.BATCH
        ]
    ):
        last = ids[-1]
        with transaction.atomic():
            held = operator_actions.hold(ids, reason=row.reason, by=by)
            Recipient.objects.filter(
                pk__in=ids, status=RecipientStatus.HELD, hold=Hold.OPERATOR
            ).update(last_reply=row.occasion)
            _count(row, stopped=held)
    # These would go on by themselves when the suspension ends.
    with transaction.atomic():
        held = suspended.update(hold=Hold.OPERATOR, last_reply=row.occasion)
        _count(row, stopped=held)


def _withdraw_copies(row: Withdrawal, reference: str) -> None:
    cause = Cause(
        kind=WithdrawalKind.OPERATOR,
        by=_asker(row),
        reason=row.reason,
        occasion=row.occasion,
    )
    delivered = Event.objects.filter(reference=reference, kind=EventKind.DELIVERED)
    rows = delivered.order_by("pk").values_list("pk", "detail__message")
    last = 0
    while some := list(rows.filter(pk__gt=last)[:SLICE]):
        last = some[-1][0]
        ids = [message_id for _, message_id in some if message_id]
        with transaction.atomic():
            copies = mailbox_withdrawals.withdraw_slice(ids, cause)
            used = [copy for copy in copies if reach.was_used(copy)]
            for copy in used:
                tell_reader(copy)
            _count(row, copies=len(copies), used=len(used))


def tell_reader(copy: WithdrawnCopy) -> None:
    """Tells the readers of a mailbox that what they opened was withdrawn, and why."""
    service_notices.send_notice(
        Address.parse(copy.mailbox.address),
        subject="A message that you opened was withdrawn",
        text=NOTICE.format(
            sender=copy.from_address or "a notice without a sender",
            at=copy.received_at,
            reason=copy.reason,
        ),
    )


def _put_back_next(row: Withdrawal) -> bool:
    """Puts a slice of copies back, then what was held; returns whether more is left."""
    copies = WithdrawnCopy.objects.filter(occasion=row.occasion).order_by("pk")
    ids = list(copies.values_list("pk", flat=True)[:SLICE])
    if ids:
        with transaction.atomic():
            done = mailbox_withdrawals.put_back_slice(
                ids, by=_asker(row), reason=row.reason
            )
            _count(row, copies=len(done))
        return True
    with transaction.atomic():
        held = Recipient.objects.filter(
            status=RecipientStatus.HELD, hold=Hold.OPERATOR, last_reply=row.occasion
        )
        locked = held.select_for_update(of=("self",)).select_related("message")
        some = list(locked.order_by("pk")[: operator_actions.BATCH])
        if some:
            _count(row, stopped=suspension.release(some))
            return True
        row.refresh_from_db()
        row.messages = row.found
        row.save(update_fields=["messages"])
        withdrawals.finish(row)
    return False


def _count(row: Withdrawal, **more: int) -> None:
    changed = {name: F(name) + number for name, number in more.items()}
    Withdrawal.objects.filter(pk=row.pk).update(**changed)


def _asker(row: Withdrawal) -> Person | None:
    return Person.objects.filter(pk=row.asked_by_id).first()
