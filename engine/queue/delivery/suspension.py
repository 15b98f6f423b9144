"""Mail of the suspended waits; it is never returned because of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from engine import clock
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.queue import retry_schedule
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.registry.models import OrganisationStatus
from engine.routing import routes
from engine.routing.refusals import SuspendedRecipientError
from engine.routing.routes import Routes
from engine.rows import UPDATED_AT_ONCE
from engine.trace import event_log
from engine.trace.models import EventKind

RECHECK_LIMIT = 200  # recipients looked at again in one go
REPLY_LENGTH = 500  # of Recipient.last_reply

# The destination of an address that nobody has any more.
NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a recipient stands with the registry now."""

    destination: str
    hold: str = ""  # why it must wait, where it must


def standing(row: Recipient, known: Routes) -> Standing:
    """Where the recipient's mail would go now, and whether it may."""
    reason = _sender_suspended(row.message, known)
    if reason:
        return Standing(row.destination, reason)
    if row.destination == OUTSIDE:
        return Standing(OUTSIDE)
    try:
        return Standing(known.resolve(Address.parse(row.address)).destination)
    except SuspendedRecipientError as refusal:
        return Standing(row.destination, refusal.reply.text)
    except PermanentFailure:
        return Standing(NOWHERE)


def _sender_suspended(message: QueuedMessage, known: Routes) -> str:
    """Why nothing of the sender's may go on now; empty where it may."""
    organisation = known.organisations.get(message.organisation_id or 0)
    if organisation is not None and organisation.status == OrganisationStatus.SUSPENDED:
        return f"{organisation.name}, which sent it, is suspended"
    sender = Address.parse(message.sender) if message.sender else None
    if known.is_suspended(sender, message.person_id):
        return "The account of the person who sent it is suspended"
    return ""


def without_suspended(rows: Iterable[Recipient], known: Routes) -> list[Recipient]:
    """Hold the recipients whose sender or own address is suspended; return the rest.

    In the caller's transaction, with the rows locked. The rest get, unsaved, the
    destination that they have now, which may not be the one they were accepted for.
    """
    free: list[Recipient] = []
    suspended: list[tuple[Recipient, str]] = []
    for row in rows:
        stands = standing(row, known)
        row.destination = stands.destination
        if stands.hold:
            suspended.append((row, stands.hold))
        else:
            free.append(row)
    _hold(suspended)
    return free


def release_resumed(now: datetime) -> int:
    """Queue again what was held for a suspension that is over; return how many."""
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
    still = {row.pk for row in rows if standing(row, known).hold}
    Recipient.objects.filter(pk__in=still).update(
        next_attempt_at=now + retry_schedule.SUSPENSION_RECHECK
    )
    return release([row for row in rows if row.pk not in still])


def release(rows: Sequence[Recipient]) -> int:
    """Queue held recipients again, in the caller's transaction, with the rows locked.

    Time spent on hold counts against nobody: the message gets its whole life anew.
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
    event_log.events(
        event_log.event(row.message.reference, EventKind.RELEASED, row.address)
        for row in rows
    )
    return len(rows)


def _hold(suspended: Sequence[tuple[Recipient, str]]) -> None:
    again_at = clock.now() + retry_schedule.SUSPENSION_RECHECK
    for row, reason in suspended:
        row.status, row.hold = RecipientStatus.HELD, Hold.SUSPENSION
        row.leased_until, row.leased_by = None, ""
        row.deferral_id = None
        row.next_attempt_at, row.last_reply = again_at, reason[:REPLY_LENGTH]
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
        batch_size=UPDATED_AT_ONCE,
    )
    event_log.events(
        event_log.event(
            row.message.reference, EventKind.HELD, row.address, reason=reason
        )
        for row, reason in suspended
    )
