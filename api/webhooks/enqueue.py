"""Finding what endpoints must be told, in the trace and in the audit trail.

A source is looked through by its ids. Rows of the trace may be committed a moment after
later ones, so the mark follows a minute behind, and whatever is seen twice is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from api.models import WebhookCall, WebhookMark
from engine import clock
from engine.audit.models import Entry
from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import QueuedMessage
from engine.registry.models import WebhookEndpoint, WebhookEvent
from engine.routing import routes
from engine.trace.models import Event, EventKind
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Source, Status
from portal.organisation import knowing

CHUNK = 500
# Within this time every transaction that took an id has been committed.
SETTLED = timedelta(minutes=1)

ENDS = {
    EventKind.DELIVERED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.RELAYED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.FAILED: WebhookEvent.MESSAGE_FAILED,
}
TICKETS = {
    "ticket.opened": WebhookEvent.TICKET_CREATED,
    "ticket.answered": WebhookEvent.TICKET_REPLIED,
    "ticket.moved": WebhookEvent.TICKET_SOLVED,
}


@dataclass(frozen=True, slots=True)
class News:
    """Something that an organisation's endpoints may be told; thin, without content."""

    source: str
    event: WebhookEvent
    at: datetime
    organisation_id: int | None
    data: dict[str, Any]


def gather() -> int:
    """Write down what is new for every endpoint; return how many calls were added."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True))
    return _look_through("trace", Event, _of_events, endpoints) + _look_through(
        "audit", Entry, _of_entries, endpoints
    )


def _look_through(
    source: str,
    model: type[Event] | type[Entry],
    news_of: Callable[[Sequence[Any]], Iterable[News]],
    endpoints: Sequence[WebhookEndpoint],
) -> int:
    """Go on from the mark. Without anybody to tell, the mark just moves on."""
    mark, _ = WebhookMark.objects.get_or_create(
        source=source, defaults={"last_id": _settled(model)}
    )
    if not endpoints:
        WebhookMark.objects.filter(pk=mark.pk).update(last_id=_settled(model))
        return 0
    added, after = 0, mark.last_id
    while True:
        rows = list(model._default_manager.filter(pk__gt=after).order_by("pk")[:CHUNK])
        if not rows:
            return added
        added += _write(source, rows, list(news_of(rows)), endpoints)
        after = rows[-1].pk


def _settled(model: type[Event] | type[Entry]) -> int:
    """The last row after which none with a lower id can still come."""
    rows = model._default_manager.filter(at__lt=clock.now() - SETTLED)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def _write(
    source: str,
    rows: Sequence[Any],
    news: Sequence[News],
    endpoints: Sequence[WebhookEndpoint],
) -> int:
    now = clock.now()
    calls = _unwritten(
        [
            _call(endpoint, one, now)
            for one in news
            for endpoint in endpoints
            if _concerns(endpoint, one)
        ]
    )
    WebhookCall.objects.bulk_create(calls, ignore_conflicts=True)
    settled = [row.pk for row in rows if row.at < now - SETTLED]
    if settled:
        marks = WebhookMark.objects.filter(source=source, last_id__lt=settled[-1])
        marks.update(last_id=settled[-1])
    return len(calls)


def _unwritten(calls: Sequence[WebhookCall]) -> list[WebhookCall]:
    """Those that an earlier look has not written down."""
    known = set(
        WebhookCall.objects.filter(source__in=[c.source for c in calls]).values_list(
            "endpoint_id", "source"
        )
    )
    return [call for call in calls if (call.endpoint_id, call.source) not in known]


def _concerns(endpoint: WebhookEndpoint, news: News) -> bool:
    if news.event not in endpoint.events or news.at < endpoint.created_at:
        return False
    return endpoint.organisation_id in (None, news.organisation_id)


def _call(endpoint: WebhookEndpoint, news: News, now: datetime) -> WebhookCall:
    payload = {
        "type": str(news.event),
        "timestamp": news.at.isoformat(),
        "data": {"organisation": news.organisation_id, **news.data},
    }
    return WebhookCall(
        endpoint=endpoint,
        source=news.source,
        event=news.event,
        payload=payload,
        next_attempt_at=now,
    )


def _of_events(rows: Sequence[Event]) -> Iterator[News]:
    ends = [row for row in rows if row.kind in ENDS]
    references = {row.reference for row in ends}
    messages = QueuedMessage.objects.filter(reference__in=references)
    known = routes.current()
    senders = {one.reference: knowing.sender_of(one, known) for one in messages}
    for row in ends:
        data = {"reference": row.reference, "recipient": row.recipient}
        of_list = row.detail.get("list")
        sender = _owner(of_list) if of_list else senders.get(row.reference)
        event = ENDS[EventKind(row.kind)]
        if sender is not None:
            yield News(f"trace:{row.pk}:{event}", event, row.at, sender, data)
        if row.kind == EventKind.DELIVERED:
            event = WebhookEvent.MESSAGE_RECEIVED
            owner = _owner(row.recipient)
            yield News(f"trace:{row.pk}:{event}", event, row.at, owner, data)


def _owner(address: str) -> int | None:
    try:
        return routes.current().organisation_of(Address.parse(address))
    except InvalidAddressError:
        return None


def _of_entries(rows: Sequence[Entry]) -> Iterator[News]:
    found = [row for row in rows if row.event in TICKETS and _is_end(row)]
    tickets = Ticket.objects.in_bulk([int(row.subject_key) for row in found])
    for row in found:
        ticket = tickets.get(int(row.subject_key))
        if ticket is not None:
            # What members ask the helpdesk themselves is not their organisation's.
            owner = ticket.organisation_id if ticket.source == Source.API else None
            event = TICKETS[row.event]
            data = {"ticket": ticket.pk, "number": ticket.number}
            yield News(f"audit:{row.pk}", event, row.at, owner, data)


def _is_end(row: Entry) -> bool:
    return row.event != "ticket.moved" or row.detail.get("to") == Status.SOLVED
