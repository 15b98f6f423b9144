"""Tells of mail that waits untried, because its destination is known to be down.

Such recipients are left out of every claim, so that no attempt of theirs is in the trace.
"""

from __future__ import annotations

from datetime import timedelta

from engine import clock
from engine.queue.delivery import due_recipients
from engine.queue.models import Recipient
from engine.trace import event_log
from engine.trace.models import Event, EventKind

# What has been due for less may be tried at any moment.
PATIENCE = timedelta(minutes=1)
LIMIT = 500  # recipients of one message


def events(reference: str) -> list[Event]:
    """What the trace would say of the message's untried recipients, unsaved.

    Each is a deferral with the reply that others got there. One query, and one for each
    destination that recipients have waited for.
    """
    now = clock.now()
    waiting = due_recipients.rows(now - PATIENCE).filter(
        message__reference=reference, last_reply=""
    )
    rows = list(waiting.order_by("pk")[:LIMIT])
    said = due_recipients.said_at({row.destination for row in rows})
    return [
        _event(reference, row, said[row.destination])
        for row in rows
        if said[row.destination]
    ]


def _event(reference: str, row: Recipient, reply: str) -> Event:
    event = event_log.event(reference, EventKind.DEFERRED, row.address, reply=reply)
    event.at = row.next_attempt_at
    return event
