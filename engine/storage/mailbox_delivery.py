"""Delivers messages into mailboxes, with a fixed number of statements for any batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from engine.database import bulk_rows
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary, summarise
from engine.registry.models import Mailbox
from engine.storage import inbox_state, mailbox_triggers, quota, rule_matching
from engine.storage.inbox_state import Inbox
from engine.storage.models import Content, Message
from engine.storage.rule_matching import Delivery, Filing
from engine.storage.standard_folders import ensure_folders

__all__ = ["COLUMNS", "Delivery", "deliver", "summary_of"]

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
)


def deliver(deliveries: Sequence[Delivery]) -> list[int | None]:
    """Delivers each message into its mailbox, in the caller's transaction.

    Returns the id of each message, in order; None where the mailbox has no room for it,
    or was deleted since the routes were read.
    """
    if not deliveries:
        return []
    now = timezone.now()
    inboxes = _inboxes({delivery.mailbox_id for delivery in deliveries}, now)
    fitting = [delivery for delivery in deliveries if _reserve(inboxes, delivery)]
    # By identity, because two equal deliveries may be in one batch.
    ids = dict(zip(map(id, fitting), _insert(fitting, inboxes, now), strict=True))
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


def _insert(
    deliveries: Sequence[Delivery], inboxes: Mapping[int, Inbox], now: datetime
) -> list[int]:
    filings = rule_matching.filings(deliveries, inboxes, now)
    ids = bulk_rows.insert(
        Message,
        COLUMNS,
        [
            _row(delivery, filing, now)
            for delivery, filing in zip(deliveries, filings, strict=True)
        ],
    )
    rule_matching.record_automatic_mail(filings, ids)
    addresses = {inboxes[one.mailbox_id].address for one in deliveries}
    mailbox_triggers.start_jobs_for(addresses)
    return ids


def _row(delivery: Delivery, filing: Filing, now: datetime) -> tuple[Any, ...]:
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
        summary.has_attachments,
        filing.is_read,
        filing.is_flagged,
        False,
        False,
        summary.thread,
        False,
        filing.expires_at,
    )


def summary_of(content: Content) -> Summary:
    """Returns what a list of messages shows of this one."""
    return summarise(HeaderBlock.salvage(bytes(content.header)))


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
