"""Inserts accepted messages with one statement for each table, whatever their number."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.database import bulk_rows, clock
from engine.queue import log_lines, retry_schedule
from engine.queue.enqueue import group_mailbox_audit, immediate_delivery
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.enqueue.immediate_delivery import Position, Stored
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.routing import routes
from engine.storage import content_keys
from engine.storage.content import KeptContent
from engine.storage.content_keys import COMMUNITY
from engine.storage.models import Content
from engine.trace import event_log
from engine.trace.models import EventKind
from engine.transport.local_mailboxes import DELIVERED, stored_as

CONTENT = (
    "format",
    "size",
    "body_digest",
    "header",
    "body",
    "blob_key",
    "has_attachments",
    "created_at",
)
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
    "requires_tls",
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
    "received_by_id",
)

WAITING = (RecipientStatus.QUEUED.value, 0, "", None)
HELD = (RecipientStatus.HELD.value, 0, "", None)


def insert(batch: Sequence[AcceptedMessage]) -> bool:
    """Inserts messages and delivers to hosted mailboxes, in the caller's transaction.

    Returns whether the runner has something left to deliver.
    """
    now = clock.now()
    content_ids = bulk_rows.insert(Content, CONTENT, [_content(a, now) for a in batch])
    message_ids = bulk_rows.insert(
        QueuedMessage,
        MESSAGE,
        [
            _message(accepted, content_id, now)
            for accepted, content_id in zip(batch, content_ids, strict=True)
        ],
    )
    served = immediate_delivery.deliver(batch, content_ids)
    _keep_keys(batch, content_ids, served)
    recipients = list(_recipients(batch, message_ids, served, now))
    bulk_rows.insert(Recipient, RECIPIENT, recipients)
    event_log.insert_rows(_events(batch, served), at=now)
    log_lines.log_accepted(batch, served)
    # Last, because every writer of the audit chain waits for the one before it.
    group_mailbox_audit.record_group_senders(batch)
    return len(recipients) > len(served)


def _content(accepted: AcceptedMessage, now: datetime) -> tuple[Any, ...]:
    kept = accepted.kept
    return (
        kept.format,
        kept.size,
        kept.body_digest,
        kept.stored_header,
        kept.body,
        kept.blob_key,
        kept.has_attachments,
        now,
    )


def _keep_keys(
    batch: Sequence[AcceptedMessage],
    content_ids: Sequence[int],
    served: Collection[Position],
) -> None:
    """Wraps the keys of what is left to deliver for the community, which delivers it."""
    content_keys.add(
        {
            (content_id, COMMUNITY): accepted.kept.key
            for at, (accepted, content_id) in enumerate(
                zip(batch, content_ids, strict=True)
            )
            if accepted.kept.key
            and any(
                (at, number) not in served
                for number in range(len(accepted.envelope.recipients))
            )
        }
    )


def _message(
    accepted: AcceptedMessage, content_id: int, now: datetime
) -> tuple[Any, ...]:
    return (
        accepted.reference,
        content_id,
        accepted.sender,
        str(accepted.source),
        accepted.organisation_id,
        accepted.person_id,
        accepted.fingerprint,
        now,
        (accepted.release_at or now) + retry_schedule.LIFETIME,
        accepted.envelope.envelope_id,
        accepted.envelope.wants_full,
        accepted.envelope.requires_tls,
    )


def _recipients(
    batch: Sequence[AcceptedMessage],
    message_ids: Sequence[int],
    served: Collection[Position],
    now: datetime,
) -> Iterator[tuple[Any, ...]]:
    done = (RecipientStatus.DELIVERED.value, 1, str(DELIVERED), now)
    known = routes.held_or_current()
    for at, (accepted, message_id) in enumerate(zip(batch, message_ids, strict=True)):
        seen: set[int | None] = set()
        undone = HELD if accepted.hold else WAITING
        for number, recipient in enumerate(accepted.envelope.recipients):
            # Addresses on the queue are in community form.
            owner = known.domains.owner_of(recipient.address.domain)
            is_first = owner not in seen
            seen.add(owner)
            yield (
                message_id,
                str(recipient.address),
                recipient.original,
                recipient.notify,
                accepted.destinations[number],
                accepted.release_at or now,
                "",
                accepted.hold,
                *(done if (at, number) in served else undone),
                owner if is_first else None,
            )


def _events(
    batch: Sequence[AcceptedMessage], served: Mapping[Position, Stored]
) -> Iterator[event_log.Row]:
    for accepted in batch:
        yield accepted.reference, "", EventKind.RECEIVED, _facts(accepted)
        for one in accepted.envelope.recipients if accepted.hold else ():
            why = {"hold": accepted.hold, "reason": Hold(accepted.hold).label}
            yield accepted.reference, str(one.address), EventKind.HELD, why
    for at, number in sorted(served):
        address = str(batch[at].envelope.recipients[number].address)
        detail = {"reply": str(DELIVERED), **stored_as(*served[at, number])}
        yield batch[at].reference, address, EventKind.DELIVERED, detail


def _facts(accepted: AcceptedMessage) -> dict[str, Any]:
    return {
        "sender": accepted.sender,
        "recipients": len(accepted.envelope.recipients),
        "size": accepted.kept.size,
        "source": str(accepted.source),
        "organisation_id": accepted.organisation_id,
        **({"person_id": accepted.person_id} if accepted.person_id else {}),
        **({"requires_tls": "asked for"} if accepted.envelope.requires_tls else {}),
        **_digests(accepted.kept),
        **accepted.detail,
    }


def _digests(kept: KeptContent) -> dict[str, str]:
    """Returns what a certificate proves a copy of the message by, after it is deleted.

    Not where contents are encrypted: a digest would confirm a guess of what they say.
    """
    if kept.key:
        return {}
    header = hashlib.sha256(kept.header).hexdigest()
    return {"header_digest": header, "body_digest": kept.body_digest}
