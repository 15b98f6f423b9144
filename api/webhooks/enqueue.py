"""Finds new events in the trace and the audit trail, and enqueues calls for them.

Each source is read in the order of its ids. A row may be committed a moment after rows
with higher ids, so that the cursor stays a minute behind, and a unique constraint drops
what is read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from api.models import WebhookCall, WebhookCursor
from engine.audit.models import Entry
from engine.database import clock
from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage
from engine.registry.models import WebhookEndpoint, WebhookEvent
from engine.routing import routes
from engine.trace.models import Event, EventKind
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Source, Status
from portal.organisation.mail import trace_visibility

CHUNK = 500
# Every transaction that took an id has been committed by then.
SETTLING_TIME = timedelta(minutes=1)

TRACE_EVENTS = {
    EventKind.DELIVERED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.RELAYED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.FAILED: WebhookEvent.MESSAGE_FAILED,
}
TICKET_EVENTS = {
    "ticket.opened": WebhookEvent.TICKET_CREATED,
    "ticket.answered": WebhookEvent.TICKET_REPLIED,
    "ticket.moved": WebhookEvent.TICKET_SOLVED,
}


@dataclass(frozen=True, slots=True)
class Notification:
    """An event for the endpoints of one organisation. It holds ids, never content."""

    source: str
    event: WebhookEvent
    at: datetime
    organisation_id: int | None
    data: dict[str, Any]


def enqueue_new_events() -> int:
    """Enqueues a call for every new event and endpoint; returns how many were added."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True))
    return _process_source(
        "trace", Event, _from_trace_events, endpoints
    ) + _process_source("audit", Entry, _from_audit_entries, endpoints)


def _process_source(
    source: str,
    model: type[Event] | type[Entry],
    notifications_of: Callable[[Sequence[Any]], Iterable[Notification]],
    endpoints: Sequence[WebhookEndpoint],
) -> int:
    """Reads a source on from its cursor. Without endpoints the cursor just advances."""
    cursor, _ = WebhookCursor.objects.get_or_create(
        source=source, defaults={"last_id": _last_settled_id(model)}
    )
    if not endpoints:
        WebhookCursor.objects.filter(pk=cursor.pk).update(
            last_id=_last_settled_id(model)
        )
        return 0
    added, after = 0, cursor.last_id
    while True:
        rows = list(model._default_manager.filter(pk__gt=after).order_by("pk")[:CHUNK])
        if not rows:
            return added
        added += _enqueue(source, rows, list(notifications_of(rows)), endpoints)
        after = rows[-1].pk


def _last_settled_id(model: type[Event] | type[Entry]) -> int:
    """Returns the highest id below which no further row can still be committed."""
    rows = model._default_manager.filter(at__lt=clock.now() - SETTLING_TIME)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def _enqueue(
    source: str,
    rows: Sequence[Any],
    notifications: Sequence[Notification],
    endpoints: Sequence[WebhookEndpoint],
) -> int:
    """Adds the calls and advances the cursor in one transaction."""
    now = clock.now()
    calls = _without_known(
        [
            _call(endpoint, one, now)
            for one in notifications
            for endpoint in endpoints
            if _is_subscribed(endpoint, one)
        ]
    )
    WebhookCall.objects.bulk_create(calls, ignore_conflicts=True)
    settled = [row.pk for row in rows if row.at < now - SETTLING_TIME]
    if settled:
        cursors = WebhookCursor.objects.filter(source=source, last_id__lt=settled[-1])
        cursors.update(last_id=settled[-1])
    return len(calls)


def _without_known(calls: Sequence[WebhookCall]) -> list[WebhookCall]:
    """Leaves out calls that an earlier run has added."""
    known = set(
        WebhookCall.objects.filter(source__in=[c.source for c in calls]).values_list(
            "endpoint_id", "source"
        )
    )
    return [call for call in calls if (call.endpoint_id, call.source) not in known]


def _is_subscribed(endpoint: WebhookEndpoint, notification: Notification) -> bool:
    if notification.event not in endpoint.events:
        return False
    if notification.at < endpoint.created_at:
        return False
    return endpoint.organisation_id in (None, notification.organisation_id)


def _call(
    endpoint: WebhookEndpoint, notification: Notification, now: datetime
) -> WebhookCall:
    payload = {
        "type": str(notification.event),
        "timestamp": notification.at.isoformat(),
        "data": {
            "organisation": notification.organisation_id,
            **notification.data,
        },
    }
    return WebhookCall(
        endpoint=endpoint,
        source=notification.source,
        event=notification.event,
        payload=payload,
        next_attempt_at=now,
    )


def _from_trace_events(rows: Sequence[Event]) -> Iterator[Notification]:
    outcomes = [row for row in rows if row.kind in TRACE_EVENTS]
    references = {row.reference for row in outcomes}
    messages = QueuedMessage.objects.filter(reference__in=references)
    known = routes.current()
    senders = {
        one.reference: trace_visibility.sending_organisation(one, known)
        for one in messages
    }
    for row in outcomes:
        data = {"reference": row.reference, "recipient": row.recipient}
        # The members of a list are known to the list's organisation, not to the sender.
        of_list = row.detail.get("list")
        sender = _organisation_of(of_list) if of_list else senders.get(row.reference)
        event = TRACE_EVENTS[EventKind(row.kind)]
        if sender is not None:
            name = f"trace:{row.pk}:{event}"
            yield Notification(name, event, row.at, sender, data)
        if row.kind == EventKind.DELIVERED:
            event = WebhookEvent.MESSAGE_RECEIVED
            owner = _organisation_of(row.recipient)
            name = f"trace:{row.pk}:{event}"
            yield Notification(name, event, row.at, owner, data)


def _organisation_of(address: str) -> int | None:
    try:
        return routes.current().organisation_of(Address.parse(address))
    except InvalidAddressError:
        return None


def _from_audit_entries(rows: Sequence[Entry]) -> Iterator[Notification]:
    found = [row for row in rows if row.event in TICKET_EVENTS and _is_reported(row)]
    tickets = Ticket.objects.in_bulk([int(row.subject_key) for row in found])
    for row in found:
        ticket = tickets.get(int(row.subject_key))
        if ticket is not None:
            # What members ask the helpdesk themselves stays between them and the helpdesk.
            owner = ticket.organisation_id if ticket.source == Source.API else None
            event = TICKET_EVENTS[row.event]
            data = {"ticket": ticket.pk, "number": ticket.number}
            yield Notification(f"audit:{row.pk}", event, row.at, owner, data)


def _is_reported(row: Entry) -> bool:
    """Of all changes of status, only "solved" is an event."""
    return row.event != "ticket.moved" or row.detail.get("to") == Status.SOLVED
