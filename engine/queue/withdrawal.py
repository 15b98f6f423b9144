"""A sender's second thoughts: taking back what nobody was given yet."""

from __future__ import annotations

from django.db import transaction

from engine import clock
from engine.audit.record import record as audit
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.trace import event_log
from engine.trace.models import EventKind

REASON = "taken back by its sender before it left"


@transaction.atomic
def withdraw(reference: str, *, by: Person) -> None:
    """Take back one's own message, for everybody or for nobody.

    Raises PolicyError once any recipient's copy is being delivered.
    """
    message = QueuedMessage.objects.filter(reference=reference, person_id=by.pk).first()
    rows = Recipient.objects.filter(message__reference=reference)
    locked = list(rows.select_for_update(of=("self",)).order_by("pk"))
    if message is None or not all(map(_waits_untouched, locked)):
        raise PolicyError("The message has left already, so it cannot be taken back.")
    rows.update(status=RecipientStatus.DROPPED, hold="", finished_at=clock.now())
    event_log.events(
        event_log.event(reference, EventKind.DROPPED, row.address, reason=REASON)
        for row in locked
    )
    audit(
        "queue.withdrawn",
        message,
        organisation_key=message.organisation_id or "",
        detail={"recipients": len(locked)},
        by=by,
    )


def _waits_untouched(row: Recipient) -> bool:
    """True where no runner ever took it."""
    return (
        row.status == RecipientStatus.QUEUED
        and row.attempts == 0
        and row.leased_until is None
    )
