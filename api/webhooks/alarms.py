"""Watches endpoints that do not hear: an alarm, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Count, Min, Q
from prometheus_client.metrics_core import Metric

from api.models import WebhookCall, WebhookState
from engine.health import rules
from engine.health.gauges import gauge
from engine.health.situation import Finding, Rule, Situation

RULE = Rule(
    "webhooks",
    "A webhook is not heard",
    "The other system does not learn what happened. Calls are given up after two days.",
    "Look at what it answered on its organisation's API page, and tell its owner.",
)
# The first tries again come after half a minute and after five.
PATIENCE = timedelta(minutes=15)
LATELY = timedelta(hours=1)
MOST = 50


def look(situation: Situation) -> Iterator[Finding]:
    """Endpoints that have not heard a call for long, or one of which was given up."""
    now = situation.now
    waits = Q(state=WebhookState.WAITING, attempts__gt=0, created_at__lt=now - PATIENCE)
    given_up = Q(state=WebhookState.FAILED, next_attempt_at__gt=now - LATELY)
    rows = (
        WebhookCall.objects.filter(waits | given_up, endpoint__is_active=True)
        .order_by()
        .values("endpoint_id", "endpoint__url")
        .annotate(calls=Count("pk"), oldest=Min("created_at"))
        .order_by("oldest")[:MOST]
    )
    for row in rows:
        # The address may hold a secret.
        host = urlsplit(row["endpoint__url"]).hostname or "?"
        said = f"{row['calls']} calls were not heard, since {row['oldest']:%H:%M} UTC."
        yield Finding(RULE.name, f"{host} ({row['endpoint_id']})", said)


def gauges(now: datetime) -> Iterator[Metric]:
    """How many calls wait."""
    family = gauge(
        "webhook_calls_waiting", "Calls of webhooks that were not heard yet."
    )
    waiting = WebhookCall.objects.filter(state=WebhookState.WAITING)
    family.add_metric([], waiting.count())
    yield family


rules.register(RULE, look=look, every=6)
rules.gauges.append(gauges)
