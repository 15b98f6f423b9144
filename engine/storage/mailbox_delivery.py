"""Delivers messages into mailboxes, with a fixed number of statements for any batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from engine.database import bulk_rows
from engine.encryption import organisation_keys
from engine.encryption.organisation_keys import HeldKey
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary, summarise
from engine.registry.models import Mailbox
from engine.storage import (
    content_keys,
    inbox_state,
    mailbox_triggers,
    quota,
    rule_matching,
)
from engine.storage.inbox_state import Inbox
from engine.storage.models import FirstUse, Message
from engine.storage.organising import assignments
from engine.storage.rule_matching import Delivery, Filing
from engine.storage.standard_folders import ensure_folders

__all__ = ["COLUMNS", "LOCKED", "Delivery", "deliver", "summary_of"]

# Instead of a message's id, where its organisation's key cannot be had now.
LOCKED = 0

COLUMNS = (
    "mailbox_id",
    "folder_id",
    "content_id",
    "envelope_sender",
    "received_at",
    "from_name",
    "from_address",
    "to_summary",
    "subject",
    "message_id",
    "size",
    "has_attachments",
    "is_read",
    "is_flagged",
    "is_answered",
    "is_draft",
    "thread",
    "is_indexed",
    "expires_at",
    "reference",
    "first_use",
    "assigned_to",
)


def deliver(deliveries: Sequence[Delivery], *, waits: bool = True) -> list[int | None]:
    """Delivers each message into its mailbox, in the caller's transaction.

    Returns the id of each message, in order; None where the mailbox has no room for it,
    or was deleted since the routes were read; LOCKED where the organisation's key cannot
    be had now or, without `waits`, not at once.
    """
    if not deliveries:
        return []
    now = timezone.now()
    inboxes = _inboxes({delivery.mailbox_id for delivery in deliveries}, now)
    held = _keys_of(deliveries, inboxes, waits=waits)
    locked = [one for one in deliveries if _is_locked(one, inboxes, held)]
    # By identity, because two equal deliveries may be in one batch.
    ids = dict.fromkeys(map(id, locked), LOCKED)
    fitting = [
        one for one in deliveries if id(one) not in ids and _reserve(inboxes, one)
    ]
    made = _insert(fitting, inboxes, now)
    _add_keys(fitting, inboxes, held)
    ids |= zip(map(id, fitting), made, strict=True)
    # After the insertion: from here on the mailboxes' rows are locked until the commit.
    quota.count_in((delivery.mailbox_id, delivery.size) for delivery in fitting)
    return [ids.get(id(delivery)) for delivery in deliveries]


def _reserve(inboxes: Mapping[int, Inbox], delivery: Delivery) -> bool:
    """Takes the message's size off the mailbox's room; False where it does not fit."""
    inbox = inboxes.get(delivery.mailbox_id)
    if inbox is None or delivery.size > inbox.room:
        return False
    inbox.room -= delivery.size
    return True


def _keys_of(
    deliveries: Sequence[Delivery], inboxes: Mapping[int, Inbox], *, waits: bool
) -> dict[int, HeldKey]:
    """Returns the keys of the organisations whose mailboxes get encrypted messages."""
    holders = {
        inboxes[one.mailbox_id].organisation_id
        for one in deliveries
        if one.key and one.mailbox_id in inboxes
    }
    return organisation_keys.currents(holders, waits=waits) if holders else {}


def _is_locked(
    delivery: Delivery, inboxes: Mapping[int, Inbox], held: Mapping[int, HeldKey]
) -> bool:
    inbox = inboxes.get(delivery.mailbox_id) if delivery.key else None
    return inbox is not None and inbox.organisation_id not in held


def _add_keys(
    deliveries: Sequence[Delivery],
    inboxes: Mapping[int, Inbox],
    held: Mapping[int, HeldKey],
) -> None:
    content_keys.add(
        {
            (one.content_id, inboxes[one.mailbox_id].organisation_id): one.key
            for one in deliveries
            if one.key
        },
        held,
    )


def _insert(
    deliveries: Sequence[Delivery], inboxes: Mapping[int, Inbox], now: datetime
) -> list[int]:
    filings = rule_matching.filings(deliveries, inboxes, now)
    assigned = assignments.of_conversations(
        (one.mailbox_id, one.summary.thread)
        for one in deliveries
        if inboxes[one.mailbox_id].has_assignments
    )
    ids = bulk_rows.insert(
        Message,
        COLUMNS,
        [
            _row(delivery, filing, assigned, now)
            for delivery, filing in zip(deliveries, filings, strict=True)
        ],
    )
    rule_matching.record_automatic_mail(filings, ids)
    addresses = {inboxes[one.mailbox_id].address for one in deliveries}
    mailbox_triggers.start_jobs_for(addresses)
    return ids


def _row(
    delivery: Delivery,
    filing: Filing,
    assigned: Mapping[tuple[int, int], int],
    now: datetime,
) -> tuple[Any, ...]:
    summary = delivery.summary
    return (
        delivery.mailbox_id,
        filing.folder_id,
        delivery.content_id,
        delivery.envelope_sender,
        now,
        summary.from_name,
        summary.from_address,
        summary.to_summary,
        summary.subject,
        summary.message_id,
        delivery.size,
        delivery.has_attachments,
        filing.is_read,
        filing.is_flagged,
        False,
        False,
        summary.thread,
        False,
        filing.expires_at,
        delivery.reference,
        FirstUse.FORWARDED if filing.forwards else "",
        assigned.get((delivery.mailbox_id, summary.thread), 0),
    )


def summary_of(header: bytes) -> Summary:
    """Returns what a list of messages shows of one with this header."""
    return summarise(HeaderBlock.salvage(header))


def _inboxes(mailbox_ids: set[int], now: datetime) -> dict[int, Inbox]:
    """Returns inboxes by mailbox id, of those mailboxes that exist."""
    found = inbox_state.find(mailbox_ids, now)
    missing = mailbox_ids - found.keys()
    if missing:
        # A new mailbox has no folders until its first message, or its first sign-in.
        new = Mailbox.objects.filter(pk__in=missing)
        ensure_folders(new.values_list("pk", flat=True))
        found |= inbox_state.find(missing, now)
    return found
