"""Withdraws a message on behalf of its sender, before any delivery has begun."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record as audit
from engine.database import clock
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.trace.timeline import TAKEN_BACK, TAKEN_BACK_REASON


@transaction.atomic
def withdraw(reference: str, *, by: Person) -> None:
    """Withdraws the person's own message, for all recipients or for none.

    Raises PolicyError once the delivery to any recipient has begun.
    """
    message = QueuedMessage.objects.filter(reference=reference, person_id=by.pk).first()
    rows = Recipient.objects.filter(message__reference=reference)
    # Locked before they are judged, so that no runner claims one between the two.
    locked = list(rows.select_for_update(of=("self",)).order_by("pk"))
    if message is None or not all(map(_is_untouched, locked)):
        raise PolicyError(
            "The message has already been sent, so sending it cannot be undone."
        )
    rows.update(
        status=RecipientStatus.DROPPED,
        hold="",
        finished_at=clock.now(),
        last_reply=TAKEN_BACK,
    )
    event_log.save(
        event_log.event(
            reference, EventKind.DROPPED, row.address, reason=TAKEN_BACK_REASON
        )
        for row in locked
    )
    audit(
        "queue.withdrawn",
        message,
        organisation_key=message.organisation_id or "",
        detail={"recipients": len(locked)},
        by=by,
    )


def _is_untouched(row: Recipient) -> bool:
    """Returns whether no runner ever claimed the recipient."""
    return (
        row.status == RecipientStatus.QUEUED
        and row.attempts == 0
        and row.leased_until is None
    )
