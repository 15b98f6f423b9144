"""Carries out withdrawals in slices, and resumes them where they were interrupted.

Each slice is a transaction of its own, and repeating one changes nothing: a copy that was
moved is not there any more. Passes follow one another until nothing that was found is being
delivered any more.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from engine.database import batches
from engine.incidents import reach, search, withdrawals, withdrawn
from engine.incidents.models import MessageKey, Withdrawal, WithdrawalState
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.mail.address import Address
from engine.queue import incident_holds, mailbox_withdrawals
from engine.queue.mailbox_withdrawals import SLICE, Cause
from engine.queue.models import Recipient
from engine.queue.notifications import service_notices
from engine.registry.models import Person
from engine.storage.models import WithdrawalKind, WithdrawnCopy
from engine.trace.models import Event, EventKind

PASSES = 2  # at least: the second reaches what was indexed meanwhile
# After a pass that met a delivery in progress: its lease is over in two minutes.
PAUSE = timedelta(seconds=30)
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
    is_unfinished = following is not None and _withdraw_message(
        row, following.reference
    )
    with transaction.atomic():
        return _advance(row, following, is_unfinished=is_unfinished)


def _advance(row: Withdrawal, done: MessageKey | None, *, is_unfinished: bool) -> bool:
    """Notes that a message, or the pass, is done; returns whether to go on now."""
    row.refresh_from_db()
    is_over = is_paused = False
    if done is not None:
        row.position_at, row.position_id = done.at, done.pk
        row.messages += row.passes == 0
        row.is_unfinished |= is_unfinished
    else:
        is_paused, row.is_unfinished = row.is_unfinished, False
        row.passes = min(row.passes + 1, PASSES)
        row.position_at, row.position_id = None, 0
        is_over = row.passes == PASSES and not is_paused
    row.save(
        update_fields=[
            "position_at",
            "position_id",
            "messages",
            "passes",
            "is_unfinished",
        ]
    )
    if is_paused:
        jobs.add(withdrawals.JOB, row.pk, lane=Lane.LONG, delay=PAUSE)
    if is_over:
        withdrawals.finish(row)
    return not is_over and not is_paused


def _withdraw_message(row: Withdrawal, reference: str) -> bool:
    """Withdraws all copies of a message, and of what lists made of it.

    Returns whether one is being delivered at this moment.
    """
    is_unfinished = False
    for one in reach.with_lists(reference):
        withdrawn.note([one], row.occasion)
        recipients = Recipient.objects.filter(message__reference=one)
        _hold_waiting(row, recipients)
        # Before its copies are looked for: what has been delivered by now is among them.
        is_unfinished |= incident_holds.is_on_its_way(recipients)
        _withdraw_copies(row, one)
    return is_unfinished


def _hold_waiting(row: Withdrawal, recipients: QuerySet[Recipient]) -> None:
    """Holds what waits in the queue, until an operator drops it or it is put back."""
    by, is_more = _asker(row), True
    while is_more:
        with transaction.atomic():
            held = incident_holds.hold_slice(
                recipients, row.occasion, reason=row.reason, by=by
            )
            _count(row, stopped=held)
        is_more = held > 0


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
        if released := incident_holds.put_back_slice(row.occasion):
            _count(row, stopped=released)
            return True
        row.refresh_from_db()
        withdrawn.put_back(row.occasion)
        row.messages = row.found
        row.save(update_fields=["messages"])
        withdrawals.finish(row)
    return False


def _count(row: Withdrawal, **more: int) -> None:
    changed = {name: F(name) + number for name, number in more.items()}
    Withdrawal.objects.filter(pk=row.pk).update(**changed)


def _asker(row: Withdrawal) -> Person | None:
    return Person.objects.filter(pk=row.asked_by_id).first()
