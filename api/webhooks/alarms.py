"""Health rule and metrics for webhook endpoints that do not accept calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Count, Min, Q
from prometheus_client.metrics_core import Metric

from api.models import WebhookCall, WebhookState
from engine.health.checks import alarm_rules
from engine.health.checks.findings import CheckContext, Finding, Rule
from engine.health.metrics import gauges

RULE = Rule(
    "webhooks",
    "A webhook endpoint does not accept calls",
    "The other system is not notified of events. Calls are given up after two days.",
    "Look at the endpoint's last reply on the organisation's API page, and ask those who "
    "run the other system to repair it.",
)
# The first two retries come after half a minute and after five more.
PATIENCE = timedelta(minutes=15)
RECENT = timedelta(hours=1)
MAX_FINDINGS = 50


def check(context: CheckContext) -> Iterator[Finding]:
    """Yields a finding for each endpoint with a call that waits long or was given up."""
    now = context.now
    waits = Q(state=WebhookState.WAITING, attempts__gt=0, created_at__lt=now - PATIENCE)
    given_up = Q(state=WebhookState.FAILED, next_attempt_at__gt=now - RECENT)
    rows = (
        WebhookCall.objects.filter(waits | given_up, endpoint__is_active=True)
        .order_by()
        .values("endpoint_id", "endpoint__url")
        .annotate(calls=Count("pk"), oldest=Min("created_at"))
        .order_by("oldest")[:MAX_FINDINGS]
    )
    for row in rows:
        # The host alone: the rest of the URL may hold a secret.
        host = urlsplit(row["endpoint__url"]).hostname or "?"
        detail = f"{row['calls']} calls not accepted, since {row['oldest']:%H:%M} UTC."
        yield Finding(RULE.name, f"{host} ({row['endpoint_id']})", detail)


def waiting_calls(now: datetime) -> Iterator[Metric]:
    """Yields the number of calls that wait for delivery."""
    family = gauges.gauge(
        "webhook_calls_waiting", "Webhook calls that their endpoints have not accepted."
    )
    waiting = WebhookCall.objects.filter(state=WebhookState.WAITING)
    family.add_metric([], waiting.count())
    yield family


alarm_rules.register(RULE, check=check, every=6)
gauges.register(waiting_calls)
