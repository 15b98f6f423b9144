"""The counters, gauges and histograms that the service exposes to Prometheus.

Each process counts for itself; `engine.health.metrics.exposition` adds them up. Label values come
from small fixed sets, never from addresses or references: each distinct value would make a
time series of its own.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

# They would add a second series to each counter with the time of its creation, and
# Prometheus detects restarts without it.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

# Bucket limits in seconds. A commit is one flush of a disk; a scan may take until the
# scanner's timeout.
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCAN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DELIVERY = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 172_800)

ACCEPTED = Counter(
    "postern_messages_accepted",
    "Messages accepted for delivery, by source.",
    ["source"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "postern_refusals",
    "Refusals, permanent and temporary, by source and reason.",
    ["source", "reason"],
    registry=REGISTRY,
)
DELIVERED = Counter(
    "postern_recipients_delivered",
    "Recipients whose mail was delivered or relayed, by transport.",
    ["way"],
    registry=REGISTRY,
)
DEFERRED = Counter(
    "postern_recipients_deferred",
    "Recipients of delivery attempts that failed temporarily, by transport.",
    ["way"],
    registry=REGISTRY,
)
BOUNCED = Counter(
    "postern_recipients_bounced",
    "Recipients whose mail was returned to its sender, by transport.",
    ["way"],
    registry=REGISTRY,
)
DELIVERY_SECONDS = Histogram(
    "postern_delivery_seconds",
    "Time from acceptance to delivery, by transport.",
    ["way"],
    buckets=_DELIVERY,
    registry=REGISTRY,
)
SCAN_SECONDS = Histogram(
    "postern_scan_seconds",
    "Time that a completely received message waits for the scanner's verdict.",
    ["verdict"],
    buckets=_SCAN,
    registry=REGISTRY,
)
COMMIT_SECONDS = Histogram(
    "postern_commit_seconds",
    "Duration of transactions that accept messages, often several at a time.",
    buckets=_COMMIT,
    registry=REGISTRY,
)
SESSIONS = Gauge(
    "postern_sessions",
    "Open connections, by listener.",
    ["listener"],
    registry=REGISTRY,
)
LOOP_LAG = Gauge(
    "postern_event_loop_lag_seconds",
    "Maximum delay of the event loop in the last minute.",
    registry=REGISTRY,
)
CHANGES = Gauge(
    "postern_registry_changes",
    "The sequence of the registry's last change that this process has applied.",
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "postern_webhook_calls",
    "Webhook calls, by outcome.",
    ["outcome"],
    registry=REGISTRY,
)
