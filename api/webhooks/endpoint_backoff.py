"""Which endpoint is asked next, and how long one that does not answer is left alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from api.models import WebhookCall, WebhookStanding, WebhookState
from engine import clock
from engine.registry.models import WebhookEndpoint

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)


def due_calls() -> QuerySet[WebhookCall]:
    return WebhookCall.objects.filter(
        state=WebhookState.WAITING, next_attempt_at__lte=clock.now()
    )


def next_endpoint(busy: Collection[int]) -> WebhookEndpoint | None:
    """The one that waits longest for its turn, of those with a call that is due."""
    waiting = due_calls().filter(endpoint=OuterRef("pk"))
    rows = (
        WebhookEndpoint.objects.filter(Exists(waiting), is_active=True)
        .exclude(pk__in=busy)
        .exclude(standing__down_until__gt=clock.now())
    )
    turn = F("standing__asked_at").asc(nulls_first=True)
    return rows.order_by(turn, "pk").first()


def note_asked(endpoint_id: int) -> None:
    WebhookStanding.objects.update_or_create(
        endpoint_id=endpoint_id, defaults={"asked_at": clock.now()}
    )


def note_heard(endpoint_id: int) -> None:
    down = WebhookStanding.objects.filter(endpoint=endpoint_id, failures__gt=0)
    down.update(failures=0, down_since=None, down_until=None)


def note_silence(endpoint_id: int) -> timedelta:
    """Leave it alone, twice as long each time; returns how long it has been silent."""
    row, _ = WebhookStanding.objects.get_or_create(endpoint_id=endpoint_id)
    now = clock.now()
    pause = min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)
    row.failures, row.down_until = row.failures + 1, now + pause
    row.down_since = row.down_since or now
    row.save(update_fields=["failures", "down_since", "down_until"])
    return now - row.down_since


def forget_silence(endpoint_id: int) -> None:
    """Ask it now, whatever it did before."""
    WebhookStanding.objects.filter(endpoint=endpoint_id).update(down_until=None)


def put_right() -> None:
    """End pauses longer than any pause: a clock ran ahead meanwhile."""
    latest = clock.now() + LONGEST_PAUSE * 1.1
    WebhookStanding.objects.filter(down_until__gt=latest).update(down_until=None)
