"""Trace events for recipients that wait untried, because their destination is down.

A closed destination is left out of every claim, so its untried recipients have no attempt
in the trace. These events say why they wait, and are never saved.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet

from engine.database import clock
from engine.queue.delivery import due_recipients
from engine.queue.models import Recipient
from engine.trace import event_log
from engine.trace.models import Event, EventKind

# A recipient that has been due for less may be tried at any moment.
PATIENCE = timedelta(minutes=1)
LIMIT = 500  # recipients of one message


def outages() -> dict[str, str]:
    """Returns the destinations that mail waits for because they are down, and why."""
    found = due_recipients.destinations(clock.now() - PATIENCE, [])
    replies = due_recipients.outage_replies(found[: due_recipients.MOST_DESTINATIONS])
    return {name: reply for name, reply in replies.items() if reply}


def waiting(destinations: Collection[str]) -> QuerySet[Recipient]:
    """Returns the untried recipients there."""
    due = due_recipients.due(clock.now() - PATIENCE)
    return due.filter(destination__in=destinations, last_reply="")


def deferral_events(reference: str) -> list[Event]:
    """Returns an unsaved deferral event for each untried recipient of the message.

    Each carries the reply that other mail for the destination got. One query, and one for
    each destination that recipients wait for.
    """
    now = clock.now()
    untried = due_recipients.due(now - PATIENCE).filter(
        message__reference=reference, last_reply=""
    )
    rows = list(untried.order_by("pk")[:LIMIT])
    replies = due_recipients.outage_replies({row.destination for row in rows})
    return [
        _event(reference, row, replies[row.destination])
        for row in rows
        if replies[row.destination]
    ]


def _event(reference: str, row: Recipient, reply: str) -> Event:
    event = event_log.event(reference, EventKind.DEFERRED, row.address, reply=reply)
    event.at = row.next_attempt_at
    return event
