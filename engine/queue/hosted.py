"""The short way: what is for a mailbox here is in it when the peer hears 250."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from engine.mail.address import Address
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry import routes
from engine.registry.routes import RouteKind
from engine.trace import record
from engine.trace.models import EventKind
from engine.transport import local
from engine.transport.base import OutcomeState

DESTINATION = RouteKind.MAILBOX.value


def deliver_hosted(pairs: Sequence[tuple[QueuedMessage, Recipient]]) -> None:
    """Deliver freshly saved recipients into mailboxes, in the caller's transaction.

    Message, status and trace are committed together or not at all. Whoever cannot be
    served at once, or asked for a notice of success, stays queued for the runner.
    """
    waiting = {
        recipient.pk: (message, recipient)
        for message, recipient in pairs
        if not recipient.wants("SUCCESS")
    }
    if not waiting:
        return
    outcomes = local.deliver(
        [
            local.Placement(
                recipient.pk,
                Address.parse(recipient.address),
                message.content,
                message.sender,
            )
            for message, recipient in waiting.values()
        ],
        routes.current(),
    )
    delivered = [
        outcome.recipient_id
        for outcome in outcomes
        if outcome.state is OutcomeState.DELIVERED
    ]
    Recipient.objects.filter(pk__in=delivered).update(
        status=RecipientStatus.DELIVERED,
        attempts=1,
        finished_at=timezone.now(),
        last_reply=str(local.DELIVERED),
    )
    record.events(
        [
            record.event(
                message.reference,
                EventKind.DELIVERED,
                recipient.address,
                reply=str(local.DELIVERED),
            )
            for message, recipient in map(waiting.__getitem__, delivered)
        ]
    )
