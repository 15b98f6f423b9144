"""Writing accepted messages down: one statement for each table, however many they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from engine import clock, rows
from engine.queue import log_lines, retry_schedule
from engine.queue.enqueue import group_mailbox_audit, immediate_delivery
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.enqueue.immediate_delivery import Place
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.storage.models import Content
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.local_mailboxes import DELIVERED

CONTENT = ("format", "size", "body_digest", "header", "body", "blob_key", "created_at")
MESSAGE = (
    "reference",
    "content_id",
    "sender",
    "source",
    "organisation_id",
    "person_id",
    "fingerprint",
    "accepted_at",
    "expires_at",
    "envelope_id",
    "dsn_full",
)
RECIPIENT = (
    "message_id",
    "address",
    "original",
    "notify",
    "destination",
    "next_attempt_at",
    "leased_by",
    "hold",
    "status",
    "attempts",
    "last_reply",
    "finished_at",
)

WAITING = (RecipientStatus.QUEUED.value, 0, "", None)


def insert(batch: Sequence[Incoming]) -> bool:
    """Insert messages and deliver what can be at once, in the caller's transaction.

    Returns whether something is left for the runner.
    """
    now = clock.now()
    content_ids = rows.insert(Content, CONTENT, [_content(i, now) for i in batch])
    message_ids = rows.insert(
        QueuedMessage,
        MESSAGE,
        [
            _message(incoming, content_id, now)
            for incoming, content_id in zip(batch, content_ids, strict=True)
        ],
    )
    served = immediate_delivery.deliver(batch, content_ids)
    recipients = list(_recipients(batch, message_ids, served, now))
    rows.insert(Recipient, RECIPIENT, recipients)
    event_log.insert(_events(batch, served), at=now)
    log_lines.accepted(batch, served)
    group_mailbox_audit.note(batch)
    return len(recipients) > len(served)


def _content(incoming: Incoming, now: datetime) -> tuple[Any, ...]:
    kept = incoming.kept
    return (
        Content.PLAIN,
        kept.size,
        kept.body_digest,
        kept.header,
        kept.body,
        kept.blob_key,
        now,
    )


def _message(incoming: Incoming, content_id: int, now: datetime) -> tuple[Any, ...]:
    return (
        incoming.reference,
        content_id,
        incoming.sender,
        str(incoming.source),
        incoming.organisation_id,
        incoming.person_id,
        incoming.fingerprint,
        now,
        (incoming.release_at or now) + retry_schedule.LIFETIME,
        incoming.envelope.envelope_id,
        incoming.envelope.wants_full,
    )


def _recipients(
    batch: Sequence[Incoming],
    message_ids: Sequence[int],
    served: set[Place],
    now: datetime,
) -> Iterator[tuple[Any, ...]]:
    done = (RecipientStatus.DELIVERED.value, 1, str(DELIVERED), now)
    for at, (incoming, message_id) in enumerate(zip(batch, message_ids, strict=True)):
        for number, recipient in enumerate(incoming.envelope.recipients):
            yield (
                message_id,
                str(recipient.address),
                recipient.original,
                recipient.notify,
                incoming.destinations[number],
                incoming.release_at or now,
                "",
                "",
                *(done if (at, number) in served else WAITING),
            )


def _events(batch: Sequence[Incoming], served: set[Place]) -> Iterator[event_log.Row]:
    for incoming in batch:
        yield incoming.reference, "", EventKind.RECEIVED, _facts(incoming)
    for at, number in sorted(served):
        address = str(batch[at].envelope.recipients[number].address)
        reply = {"reply": str(DELIVERED)}
        yield batch[at].reference, address, EventKind.DELIVERED, reply


def _facts(incoming: Incoming) -> dict[str, Any]:
    return {
        "sender": incoming.sender,
        "recipients": len(incoming.envelope.recipients),
        "size": incoming.kept.size,
        "source": str(incoming.source),
        "organisation_id": incoming.organisation_id,
        **({"person_id": incoming.person_id} if incoming.person_id else {}),
        **incoming.detail,
    }
