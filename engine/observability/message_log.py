"""One line in the log for everything that happens to a message, counted as it is written.

A line names reference, source, envelope, size, next hop and reply. It never holds a
subject or anything else of what is in the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from engine.mail.smtp_replies import Reply
from engine.observability import metrics
from engine.observability.refusal_reasons import reason_of

log = structlog.stdlib.get_logger("postern.mail")

# Recipients that one line names; a list may have thousands.
NAMED = 20


def accepted(
    *, reference: str, source: str, sender: str, recipients: Sequence[str], size: int
) -> None:
    """A message is on the disk, and ours to deliver. `size` is in octets."""
    metrics.ACCEPTED.labels(source).inc()
    log.info(
        "accepted",
        reference=reference,
        source=source,
        sender=sender,
        **_named(recipients),
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
    """A message, or a recipient of it, was refused; `more` says which recipient and where."""
    log.info(
        "refused",
        reference=reference,
        source=source,
        sender=sender,
        **_named(recipients),
        reply=str(reply),
        is_temporary=reply.is_temporary,
        **more,
    )


def count_refusal(source: str, reply: Reply) -> None:
    """Count a refusal, of an unauthenticated client too, who leaves no line."""
    metrics.REFUSED.labels(source, reason_of(reply.code, reply.enhanced)).inc()


def settled(
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
    """An attempt's outcome for recipients who share it: `delivered`, `deferred` or
    `returned`. `seconds` have passed since the message was accepted."""
    way = destination.partition(":")[0]
    _COUNTERS[event].labels(way).inc(len(recipients))
    if event == "delivered":
        metrics.DELIVERY_SECONDS.labels(way).observe(seconds)
    log.info(
        event,
        reference=reference,
        source=source,
        sender=sender,
        **_named(recipients),
        destination=destination,
        reply=reply,
        seconds=round(seconds, 3),
        **more,
    )


_COUNTERS = {
    "delivered": metrics.DELIVERED,
    "deferred": metrics.DEFERRED,
    "returned": metrics.BOUNCED,
}


def _named(recipients: Sequence[str]) -> dict[str, Any]:
    """The recipients as fields of a line: some by name, and how many there are."""
    if len(recipients) == 1:
        return {"recipient": recipients[0]}
    return {"recipients": list(recipients[:NAMED]), "recipient_count": len(recipients)}
