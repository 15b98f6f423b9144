"""Logs each event of a message in one line, and counts it in the metrics.

A line contains reference, source, envelope, size, next hop and reply; never the subject or
any other content of the message.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine.mail.smtp_replies import Reply
from engine.observability import metrics
from engine.observability.refusal_reasons import reason_of

log = logging.getLogger("postern.mail")

# How many recipients a line lists; a distribution list may have thousands.
LISTED_RECIPIENTS = 20


def accepted(
    *, reference: str, source: str, sender: str, recipients: Sequence[str], size: int
) -> None:
    """Logs a message that is stored and that we must deliver. `size` is in octets."""
    metrics.ACCEPTED.labels(source).inc()
    _write(
        "accepted",
        reference=reference,
        source=source,
        sender=sender,
        **_recipient_fields(recipients),
        size=size,
    )


def refused(
    *,
    reference: str,
    source: str,
    sender: str,
    recipients: Sequence[str],
    reply: Reply,
    **more: Any,
) -> None:
    """Logs the refusal of a message or a recipient; `more` adds fields, such as the peer."""
    _write(
        "refused",
        reference=reference,
        source=source,
        sender=sender,
        **_recipient_fields(recipients),
        reply=str(reply),
        is_temporary=reply.is_temporary,
        **more,
    )


def count_refusal(source: str, reply: Reply) -> None:
    """Counts a refusal; those of unauthenticated clients are counted but not logged."""
    metrics.REFUSED.labels(source, reason_of(reply.code, reply.enhanced)).inc()


def delivery_attempt(
    event: str,
    *,
    reference: str,
    source: str,
    sender: str,
    recipients: Sequence[str],
    destination: str,
    reply: str,
    seconds: float,
    **more: Any,
) -> None:
    """Logs the outcome of a delivery attempt for recipients who share it.

    `event` is `delivered`, `deferred` or `returned`; `seconds` is the time since the
    message was accepted.
    """
    # The kind only: a destination also holds a name, and metrics must have few series.
    way = destination.partition(":")[0]
    _COUNTERS[event].labels(way).inc(len(recipients))
    if event == "delivered":
        metrics.DELIVERY_SECONDS.labels(way).observe(seconds)
    _write(
        event,
        reference=reference,
        source=source,
        sender=sender,
        **_recipient_fields(recipients),
        destination=destination,
        reply=reply,
        seconds=round(seconds, 3),
        **more,
    )


def _write(event: str, **facts: Any) -> None:
    """Hands a line to the log's handlers, as structlog's chain of processors would.

    The chain, and the search for the caller's file that no line shows, take three times
    as long, and every message has two lines.
    """
    if not log.isEnabledFor(logging.INFO):
        return
    facts |= {
        "event": event,
        "level": "info",
        "logger": log.name,
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    # By `_logger` and `_name` structlog's formatter (26.1) knows its own events.
    origin = {"_logger": log, "_name": "info"}
    log.handle(
        log.makeRecord(log.name, logging.INFO, "", 0, facts, (), None, None, origin)
    )


_COUNTERS = {
    "delivered": metrics.DELIVERED,
    "deferred": metrics.DEFERRED,
    "returned": metrics.BOUNCED,
}


def _recipient_fields(recipients: Sequence[str]) -> dict[str, Any]:
    """Returns the fields of a line for its recipients: the first ones, and the number."""
    if len(recipients) == 1:
        return {"recipient": recipients[0]}
    return {
        "recipients": list(recipients[:LISTED_RECIPIENTS]),
        "recipient_count": len(recipients),
    }
