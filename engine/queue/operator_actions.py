"""What an operator may do to waiting mail. Each verb returns how many it changed.

Recipients that are being delivered at this moment, or are past the point, are left as
they are: the count says so.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from engine import clock
from engine.audit.record import record as audit
from engine.mail.smtp_replies import Reply
from engine.queue.delivery import suspension
from engine.queue.models import (
    RECIPIENT_TRANSITIONS,
    Hold,
    Recipient,
    RecipientStatus,
)
from engine.queue.notifications import sender_dsn
from engine.registry.models import Actor
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.parcel import Outcome, OutcomeState

# What the sender reads. Why it was is the operators' own matter.
STOPPED = Reply(554, "5.7.1", "Stopped by an operator; ask the helpdesk")


@transaction.atomic
def hold(recipient_ids: Collection[int], *, reason: str, by: Actor) -> int:
    """Keep waiting mail from being delivered until somebody releases it."""
    rows = _locked(recipient_ids, to=RecipientStatus.HELD)
    _update(rows, status=RecipientStatus.HELD, hold=Hold.OPERATOR, deferral_id=None)
    _note(rows, "queue.held", EventKind.HELD, reason=reason, by=by)
    return len(rows)


@transaction.atomic
def release(recipient_ids: Collection[int], *, by: Actor) -> int:
    """Queue held mail again, with its whole life before it.

    What belongs to a suspended organisation is held again at once.
    """
    rows = _locked(recipient_ids, to=RecipientStatus.QUEUED)
    suspension.release(rows)
    _audit(rows, "queue.released", by=by)
    return len(rows)


@transaction.atomic
def retry(recipient_ids: Collection[int], *, by: Actor) -> int:
    """Try waiting mail again now, whatever its backoff says."""
    rows = _lock(recipient_ids, [RecipientStatus.QUEUED])
    _update(rows, next_attempt_at=clock.now())
    _audit(rows, "queue.retried", by=by)
    return len(rows)


@transaction.atomic
def drop(recipient_ids: Collection[int], *, reason: str, by: Actor) -> int:
    """Give up waiting or held mail, and tell its sender, where there is one."""
    rows = _locked(recipient_ids, to=RecipientStatus.DROPPED)
    _update(rows, status=RecipientStatus.DROPPED, hold="", finished_at=clock.now())
    _note(rows, "queue.dropped", EventKind.DROPPED, reason=reason, by=by)
    sender_dsn.tell(
        (row, Outcome(row.pk, OutcomeState.FAILED, STOPPED)) for row in rows
    )
    return len(rows)


def _locked(recipient_ids: Collection[int], *, to: RecipientStatus) -> list[Recipient]:
    """Those that may become so."""
    ways = [status for status, then in RECIPIENT_TRANSITIONS.items() if to in then]
    return _lock(recipient_ids, ways)


def _lock(
    recipient_ids: Collection[int], statuses: Collection[RecipientStatus]
) -> list[Recipient]:
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    rows: QuerySet[Recipient] = Recipient.objects.filter(
        free, pk__in=recipient_ids, status__in=statuses
    )
    locked = rows.select_for_update(of=("self",)).select_related("message")
    return list(locked.order_by("pk"))


def _update(rows: Collection[Recipient], **fields: object) -> None:
    Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)


def _note(
    rows: Collection[Recipient],
    name: str,
    kind: EventKind,
    *,
    reason: str,
    by: Actor,
) -> None:
    event_log.events(
        event_log.event(row.message.reference, kind, row.address, reason=reason)
        for row in rows
    )
    _audit(rows, name, reason=reason, by=by)


def _audit(
    rows: Collection[Recipient], name: str, *, reason: str = "", by: Actor
) -> None:
    for row in rows:
        audit(
            name,
            row,
            organisation_key=row.message.organisation_id or "",
            detail={"message": row.message.reference, "reason": reason},
            by=by,
        )
