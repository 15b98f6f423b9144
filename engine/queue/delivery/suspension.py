"""Holds mail of suspended and stopped senders, and to suspended addresses; never returns it.

A suspension, or an operator's stop, is meant to end, so its mail waits instead of failing, and the time on hold
does not count towards the message's expiry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from engine.database import clock
from engine.database.bulk_rows import UPDATE_BATCH_SIZE
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.queue import retry_schedule
from engine.queue.delivery import stopped_origins
from engine.queue.delivery.stopped_origins import Origin
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.registry.models import OrganisationStatus
from engine.routing import routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import Routes
from engine.routing.sending_stops import reason_of_stop
from engine.trace import event_log
from engine.trace.models import EventKind

RECHECK_LIMIT = 200  # held recipients looked at again in one run
REPLY_LENGTH = 500  # of Recipient.last_reply

# The destination of an address that no longer exists.
NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class CurrentRoute:
    """A recipient's destination by the present routes, and why it must wait, if it must."""

    destination: str
    hold_reason: str = ""


def current_route(row: Recipient, known: Routes, origin: Origin) -> CurrentRoute:
    """Resolves the recipient again: it may have moved, or been suspended, since accepted."""
    reason = _sender_suspension(row.message, known) or reason_of_stop(
        known,
        row.message.organisation_id,
        person_id=row.message.person_id,
        connection_id=origin.connection_id,
        addresses=[_sender(row.message), origin.author],
    )
    if reason:
        return CurrentRoute(row.destination, reason)
    if row.destination == OUTSIDE:
        return CurrentRoute(OUTSIDE)
    try:
        return CurrentRoute(known.resolve(Address.parse(row.address)).destination)
    except SuspendedRecipientError as refusal:
        return CurrentRoute(row.destination, refusal.reply.text)
    except PermanentFailure:
        return CurrentRoute(NOWHERE)


def _sender_suspension(message: QueuedMessage, known: Routes) -> str:
    """Returns why the sender's mail must wait; empty where it need not."""
    organisation = known.organisations.get(message.organisation_id or 0)
    if organisation is not None and organisation.status == OrganisationStatus.SUSPENDED:
        return f"{organisation.name}, which sent it, is suspended"
    if known.is_suspended(_sender(message), message.person_id):
        return "The account of the person who sent it is suspended"
    return ""


def _sender(message: QueuedMessage) -> Address | None:
    return Address.parse(message.sender) if message.sender else None


def hold_suspended(rows: Iterable[Recipient], known: Routes) -> list[Recipient]:
    """Holds the recipients whose sender or own address is suspended; returns the rest.

    In the caller's transaction, with the rows locked. The rest get their current
    destination, unsaved; it may not be the one that they were accepted for.
    """
    free: list[Recipient] = []
    suspended: list[tuple[Recipient, str]] = []
    rows = list(rows)
    origins = stopped_origins.origins([row.message for row in rows], known)
    for row in rows:
        route = current_route(row, known, origins[row.message_id])
        row.destination = route.destination
        if route.hold_reason:
            suspended.append((row, route.hold_reason))
        else:
            free.append(row)
    _hold(suspended)
    return free


def release_resumed(now: datetime) -> int:
    """Queues again what was held for a suspension that has ended; returns how many."""
    held = Recipient.objects.filter(status=RecipientStatus.HELD, hold=Hold.SUSPENSION)
    return _release_resumed(now) if held.exists() else 0


@transaction.atomic
def _release_resumed(now: datetime) -> int:
    rows = list(
        Recipient.objects.filter(
            status=RecipientStatus.HELD, hold=Hold.SUSPENSION, next_attempt_at__lte=now
        )
        .select_related("message")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("next_attempt_at")[:RECHECK_LIMIT]
    )
    known = routes.current()
    origins = stopped_origins.origins([row.message for row in rows], known)
    still = {
        row.pk
        for row in rows
        if current_route(row, known, origins[row.message_id]).hold_reason
    }
    # Due again later, so that a long suspension does not keep others from this look.
    Recipient.objects.filter(pk__in=still).update(
        next_attempt_at=now + retry_schedule.SUSPENSION_RECHECK
    )
    return release([row for row in rows if row.pk not in still])


def release(rows: Sequence[Recipient]) -> int:
    """Queues held recipients again, in the caller's transaction, with the rows locked.

    The message gets its whole lifetime again. Returns how many recipients.
    """
    now = clock.now()
    Recipient.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=RecipientStatus.QUEUED,
        hold="",
        next_attempt_at=now,
        tls_failures=0,
        tls_failing_since=None,
    )
    QueuedMessage.objects.filter(pk__in={row.message_id for row in rows}).update(
        expires_at=now + retry_schedule.LIFETIME
    )
    event_log.save(
        event_log.event(row.message.reference, EventKind.RELEASED, row.address)
        for row in rows
    )
    return len(rows)


def _hold(suspended: Sequence[tuple[Recipient, str]]) -> None:
    recheck_at = clock.now() + retry_schedule.SUSPENSION_RECHECK
    for row, reason in suspended:
        row.status, row.hold = RecipientStatus.HELD, Hold.SUSPENSION
        row.leased_until, row.leased_by = None, ""
        row.deferral_id = None
        row.next_attempt_at, row.last_reply = recheck_at, reason[:REPLY_LENGTH]
    Recipient.objects.bulk_update(
        [row for row, _ in suspended],
        [
            "status",
            "hold",
            "leased_until",
            "leased_by",
            "next_attempt_at",
            "last_reply",
            "deferral_id",
        ],
        batch_size=UPDATE_BATCH_SIZE,
    )
    event_log.save(
        event_log.event(
            row.message.reference,
            EventKind.HELD,
            row.address,
            reason=reason,
            hold=str(Hold.SUSPENSION),
        )
        for row, reason in suspended
    )
