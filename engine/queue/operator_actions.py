"""Actions of an operator on waiting mail. Each returns the number of recipients changed.

Recipients that are being delivered at this moment, or have left the state that the action
is for, stay as they are: the count shows it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from engine.audit.record import record as audit
from engine.database import clock
from engine.mail.smtp_replies import Reply
from engine.queue.delivery import suspension
from engine.queue.models import (
    RECIPIENT_TRANSITIONS,
    Hold,
    Recipient,
    RecipientStatus,
)
from engine.queue.notifications import sender_dsn
from engine.registry.errors import PolicyError
from engine.registry.models import Actor
from engine.storage import mailbox_changes
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.parcel import Outcome, OutcomeState

# The sender reads this. The operator's reason is for operators only.
BATCH = 1_000  # recipients in one transaction
STOPPED = Reply(554, "5.7.1", "Stopped by an operator; ask the helpdesk")
STAYS_WITHDRAWN = (
    "This mail was withdrawn, and one operator alone cannot release it. Ask to put the "
    "withdrawal or the re-scan back."
)


@transaction.atomic
def hold(recipient_ids: Collection[int], *, reason: str, by: Actor | None) -> int:
    """Keeps waiting mail from being delivered until it is released."""
    rows = _lock_for(recipient_ids, to=RecipientStatus.HELD)
    _update(rows, status=RecipientStatus.HELD, hold=Hold.OPERATOR, deferral_id=None)
    note(rows, "queue.held", EventKind.HELD, reason=reason, by=by)
    return len(rows)


@transaction.atomic
def release(recipient_ids: Collection[int], *, by: Actor | None) -> int:
    """Queues held mail again, with its whole lifetime.

    Mail of a suspended organisation is held again at the next claim. What was withdrawn
    stays held; raises PolicyError where nothing else is left.
    """
    held = _lock_for(recipient_ids, to=RecipientStatus.QUEUED)
    rows = [row for row in held if row.hold != Hold.WITHDRAWN]
    if held and not rows:
        raise PolicyError(STAYS_WITHDRAWN)
    suspension.release(rows)
    _audit(rows, "queue.released", by=by)
    return len(rows)


@transaction.atomic
def retry(recipient_ids: Collection[int], *, by: Actor | None) -> int:
    """Makes waiting mail due now, whatever its backoff."""
    rows = _lock(recipient_ids, [RecipientStatus.QUEUED])
    _update(rows, next_attempt_at=clock.now())
    _audit(rows, "queue.retried", by=by)
    return len(rows)


@transaction.atomic
def drop(recipient_ids: Collection[int], *, reason: str, by: Actor | None) -> int:
    """Gives up waiting or held mail, and notifies its sender.

    Not where it is held after a restore: it has most likely arrived.
    """
    rows = _lock_for(recipient_ids, to=RecipientStatus.DROPPED)
    _update(rows, status=RecipientStatus.DROPPED, hold="", finished_at=clock.now())
    # It names the withdrawal, and the sender would read it.
    _update([row for row in rows if row.hold == Hold.WITHDRAWN], last_reply="")
    note(rows, "queue.dropped", EventKind.DROPPED, reason=reason, by=by)
    sender_dsn.send_outcomes(
        (row, Outcome(row.pk, OutcomeState.FAILED, STOPPED))
        for row in rows
        if row.hold != Hold.RESTORE
    )
    return len(rows)


def settle_restored(*, is_dropped: bool, by: Actor | None) -> int:
    """Releases or drops everything that is held after a restore, in batches."""
    rows = Recipient.objects.filter(hold=Hold.RESTORE, status=RecipientStatus.HELD)
    total, last = 0, 0
    while some := list(
        rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        if is_dropped:
            total += drop(some, reason="Sent before the restore", by=by)
        else:
            total += release(some, by=by)
        last = some[-1]
    return total


def _lock_for(
    recipient_ids: Collection[int], *, to: RecipientStatus
) -> list[Recipient]:
    """Locks the recipients whose status may change to `to`."""
    sources = [status for status, next_ in RECIPIENT_TRANSITIONS.items() if to in next_]
    return _lock(recipient_ids, sources)


def _lock(
    recipient_ids: Collection[int], statuses: Collection[RecipientStatus]
) -> list[Recipient]:
    # A leased recipient is being delivered. To hold or drop it now would leave it both
    # stopped and delivered.
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    rows: QuerySet[Recipient] = Recipient.objects.filter(
        free, pk__in=recipient_ids, status__in=statuses
    )
    locked = rows.select_for_update(of=("self",)).select_related("message")
    return list(locked.order_by("pk"))


def _update(rows: Collection[Recipient], **fields: object) -> None:
    Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)


def withdrawn_count(recipient_ids: Collection[int]) -> int:
    """Returns how many of these recipients are held by a withdrawal or a re-scan."""
    rows = Recipient.objects.filter(pk__in=recipient_ids, hold=Hold.WITHDRAWN)
    return rows.count()


def note(
    rows: Collection[Recipient],
    name: str,
    kind: EventKind,
    *,
    reason: str,
    by: Actor | None,
) -> None:
    """Records an action on recipients in their trace and in the audit trail."""
    event_log.save(
        event_log.event(row.message.reference, kind, row.address, reason=reason)
        for row in rows
    )
    _audit(rows, name, reason=reason, by=by)


def _audit(
    rows: Collection[Recipient], name: str, *, reason: str = "", by: Actor | None
) -> None:
    mailbox_changes.note_senders({row.message.reference for row in rows})
    for row in rows:
        audit(
            name,
            row,
            organisation_key=row.message.organisation_id or "",
            detail={"message": row.message.reference, "reason": reason},
            by=by,
        )
