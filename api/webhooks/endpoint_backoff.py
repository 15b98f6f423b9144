"""Chooses the next endpoint to call, and backs off from endpoints that do not answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from api.models import WebhookBackoff, WebhookCall, WebhookState
from engine.database import clock
from engine.registry.models import WebhookEndpoint

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)


def due_calls() -> QuerySet[WebhookCall]:
    """Returns the calls whose next attempt is due."""
    return WebhookCall.objects.filter(
        state=WebhookState.WAITING, next_attempt_at__lte=clock.now()
    )


def next_endpoint(busy: Collection[int]) -> WebhookEndpoint | None:
    """Returns the endpoint with a due call that was called least recently.

    Least recently called first, so that an endpoint with thousands of calls holds up no
    other. `busy` has the ids of endpoints with a call in progress.
    """
    waiting = due_calls().filter(endpoint=OuterRef("pk"))
    rows = (
        WebhookEndpoint.objects.filter(Exists(waiting), is_active=True)
        .exclude(pk__in=busy)
        .exclude(backoff__down_until__gt=clock.now())
    )
    least_recent = F("backoff__asked_at").asc(nulls_first=True)
    return rows.order_by(least_recent, "pk").first()


def record_attempt(endpoint_id: int) -> None:
    """Records that the endpoint is being called now."""
    WebhookBackoff.objects.update_or_create(
        endpoint_id=endpoint_id, defaults={"asked_at": clock.now()}
    )


def record_success(endpoint_id: int) -> None:
    """Resets the failures of an endpoint that accepted a call."""
    down = WebhookBackoff.objects.filter(endpoint=endpoint_id, failures__gt=0)
    down.update(failures=0, down_since=None, down_until=None)


def record_failure(endpoint_id: int) -> timedelta:
    """Pauses an endpoint, twice as long for each failure in a row, up to ten minutes.

    Returns for how long it has failed now.
    """
    row, _ = WebhookBackoff.objects.get_or_create(endpoint_id=endpoint_id)
    now = clock.now()
    pause = min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)
    row.failures, row.down_until = row.failures + 1, now + pause
    row.down_since = row.down_since or now
    row.save(update_fields=["failures", "down_since", "down_until"])
    return now - row.down_since


def end_pause(endpoint_id: int) -> None:
    """Lets the endpoint be called immediately, despite its failures."""
    WebhookBackoff.objects.filter(endpoint=endpoint_id).update(down_until=None)


def end_impossible_pauses() -> None:
    """Ends pauses longer than the longest: they were set while a clock ran ahead."""
    latest = clock.now() + LONGEST_PAUSE * 1.1
    WebhookBackoff.objects.filter(down_until__gt=latest).update(down_until=None)
