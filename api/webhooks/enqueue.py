"""Finds new events in the trace and the audit trail, and enqueues calls for them.

Each of these sources is read in the order of its ids. A row may be committed a moment after rows
with higher ids, so that the cursor stays a minute behind, and a unique constraint drops
what is read twice. Mail that waits untried leaves no event, and is found in the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from api.models import WebhookCall, WebhookCursor
from api.webhooks import notifications
from api.webhooks.notifications import DELAYED, Notification
from engine.audit.models import Entry
from engine.database import clock
from engine.queue.delivery import untried_recipients
from engine.queue.models import Source
from engine.registry.models import WebhookEndpoint, WebhookEvent
from engine.trace.models import Event

CHUNK = 500
# Every transaction that took an id has been committed by then.
SETTLING_TIME = timedelta(minutes=1)


def enqueue_new_events() -> int:
    """Enqueues a call for every new event and endpoint; returns how many were added."""
    # Test endpoints hear of the sandbox alone, which enqueues their calls itself.
    live = WebhookEndpoint.objects.filter(is_active=True, is_test=False)
    endpoints = list(live)
    traced = _process_source("trace", Event, notifications.from_trace_events, endpoints)
    audited = _process_source(
        "audit", Entry, notifications.from_audit_entries, endpoints
    )
    return traced + audited + _enqueue_untried(endpoints)


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


def _enqueue_untried(endpoints: Sequence[WebhookEndpoint]) -> int:
    """Enqueues calls for mail behind servers that are down, which nobody tried yet."""
    wanting = [one for one in endpoints if WebhookEvent.MESSAGE_DELAYED in one.events]
    replies = untried_recipients.outages() if wanting else {}
    return sum(_enqueue_untried_of(one, replies) for one in wanting if replies)


def _enqueue_untried_of(endpoint: WebhookEndpoint, replies: Mapping[str, str]) -> int:
    source = Concat(Value(DELAYED), Cast(OuterRef("pk"), CharField()))
    existing = WebhookCall.objects.filter(endpoint=endpoint, source=source)
    rows = untried_recipients.waiting(replies).filter(
        ~Exists(existing), next_attempt_at__gte=endpoint.created_at
    )
    if endpoint.organisation_id is not None:
        rows = rows.filter(message__organisation_id=endpoint.organisation_id)
    # The members that a list reaches are known to its owner alone.
    rows = rows.exclude(message__source=Source.LIST).select_related("message")
    now = clock.now()
    calls = [
        call(
            endpoint,
            notifications.delay(row, row.next_attempt_at, replies[row.destination]),
            now,
        )
        for row in rows.order_by("pk")[:CHUNK]
    ]
    WebhookCall.objects.bulk_create(calls, ignore_conflicts=True)
    return len(calls)


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
            call(endpoint, one, now)
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
    return [one for one in calls if (one.endpoint_id, one.source) not in known]


def _is_subscribed(endpoint: WebhookEndpoint, notification: Notification) -> bool:
    if notification.event not in endpoint.events:
        return False
    if notification.at < endpoint.created_at:
        return False
    return endpoint.organisation_id in (None, notification.organisation_id)


def call(
    endpoint: WebhookEndpoint, notification: Notification, due_at: datetime
) -> WebhookCall:
    """Returns the unsaved call that reports a notification to an endpoint."""
    payload = {
        "type": str(notification.event),
        "test": endpoint.is_test,
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
        next_attempt_at=due_at,
    )
