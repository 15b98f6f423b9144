"""What the service counts and measures, for Prometheus.

Each process counts for itself; `engine.health.exposition` joins what they count. Labels
hold kinds only, never an address or a reference, so that no series depends on the mail.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

# A second series for each counter, with the moment that it began: Prometheus notices a
# restart by itself.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

# Seconds. A commit is one flush of a disk, a scan up to the scanner's patience.
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCAN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DELIVERY = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 172_800)

ACCEPTED = Counter(
    "postern_messages_accepted",
    "Messages that were accepted and are ours to deliver, by the way they came.",
    ["source"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "postern_refusals",
    "Refusals, by the way the message came and by reason; temporary ones too.",
    ["source", "reason"],
    registry=REGISTRY,
)
DELIVERED = Counter(
    "postern_recipients_delivered",
    "Recipients whose mail was delivered or handed on, by the way out.",
    ["way"],
    registry=REGISTRY,
)
DEFERRED = Counter(
    "postern_recipients_deferred",
    "Attempts that failed for the moment, by the way out.",
    ["way"],
    registry=REGISTRY,
)
BOUNCED = Counter(
    "postern_recipients_bounced",
    "Recipients whose mail was returned to its sender, by the way out.",
    ["way"],
    registry=REGISTRY,
)
DELIVERY_SECONDS = Histogram(
    "postern_delivery_seconds",
    "From acceptance to delivery, by the way out.",
    ["way"],
    buckets=_DELIVERY,
    registry=REGISTRY,
)
SCAN_SECONDS = Histogram(
    "postern_scan_seconds",
    "What a message waited for the scanner's verdict once all of it was there.",
    ["verdict"],
    buckets=_SCAN,
    registry=REGISTRY,
)
COMMIT_SECONDS = Histogram(
    "postern_commit_seconds",
    "Transactions that accept messages, one for all messages that wait together.",
    buckets=_COMMIT,
    registry=REGISTRY,
)
SESSIONS = Gauge(
    "postern_sessions",
    "Connections that are open, by listener.",
    ["listener"],
    registry=REGISTRY,
)
LOOP_LAG = Gauge(
    "postern_event_loop_lag_seconds",
    "The longest that the event loop was late in the last minute.",
    registry=REGISTRY,
)
CHANGES = Gauge(
    "postern_registry_changes",
    "The sequence of the registry's last change that this process has applied.",
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "postern_webhook_calls",
    "Calls of webhooks, by what came of them.",
    ["outcome"],
    registry=REGISTRY,
)
