"""Putting messages into mailboxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from engine import rows
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary, summarise
from engine.registry.models import Mailbox
from engine.storage import inbox_state, quota, rule_matching
from engine.storage.inbox_state import Inbox
from engine.storage.models import Content, Folder, FolderRole, Message
from engine.storage.rule_matching import Delivery, Filing

__all__ = [
    "COLUMNS",
    "STANDARD_FOLDERS",
    "Delivery",
    "deliver",
    "ensure_folders",
    "folder",
    "inbox",
    "summary_of",
]

STANDARD_FOLDERS = [
    FolderRole.INBOX,
    FolderRole.DRAFTS,
    FolderRole.SENT,
    FolderRole.ARCHIVE,
    FolderRole.JUNK,
    FolderRole.TRASH,
]


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
    """Put each message into its mailbox's inbox, in the caller's transaction.

    Returns the id of each message, or None where its mailbox has no room for it, or
    has gone since the routes were read.
    """
    if not deliveries:
        return []
    now = timezone.now()
    into = _inboxes({delivery.mailbox_id for delivery in deliveries}, now)
    fitting = [delivery for delivery in deliveries if _takes(into, delivery)]
    ids = dict(zip(map(id, fitting), _insert(fitting, into, now), strict=True))
    quota.count_in((delivery.mailbox_id, delivery.size) for delivery in fitting)
    return [ids.get(id(delivery)) for delivery in deliveries]


def _takes(into: Mapping[int, Inbox], delivery: Delivery) -> bool:
    inbox = into.get(delivery.mailbox_id)
    if inbox is None or delivery.size > inbox.room:
        return False
    inbox.room -= delivery.size
    return True


def _insert(
    deliveries: Sequence[Delivery], into: Mapping[int, Inbox], now: datetime
) -> list[int]:
    filings = rule_matching.filings(deliveries, into, now)
    ids = rows.insert(
        Message,
        COLUMNS,
        [
            _row(delivery, filing, now)
            for delivery, filing in zip(deliveries, filings, strict=True)
        ],
    )
    rule_matching.write_errands(filings, ids)
    rule_matching.start_collecting({into[one.mailbox_id].address for one in deliveries})
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
    """What a list of messages shows of this one."""
    return summarise(HeaderBlock.salvage(bytes(content.header)))


def folder(mailbox: Mailbox, role: FolderRole) -> Folder:
    """The mailbox's folder for that role, made with the others when it is missing."""
    found = Folder.objects.filter(mailbox=mailbox, role=role).first()
    if found is None:
        ensure_folders([mailbox.pk])
        found = Folder.objects.get(mailbox=mailbox, role=role)
    return found


def inbox(mailbox: Mailbox) -> Folder:
    """The mailbox's inbox."""
    return folder(mailbox, FolderRole.INBOX)


def ensure_folders(mailbox_ids: Iterable[int]) -> None:
    """Make the standard folders of each mailbox; those that exist stay as they are."""
    Folder.objects.bulk_create(
        [
            Folder(mailbox_id=mailbox_id, role=role, name=role.label)
            for mailbox_id in mailbox_ids
            for role in STANDARD_FOLDERS
        ],
        ignore_conflicts=True,
    )


def _inboxes(mailbox_ids: set[int], now: datetime) -> dict[int, Inbox]:
    """Inboxes by mailbox id, of those mailboxes that there are."""
    found = inbox_state.find(mailbox_ids, now)
    missing = mailbox_ids - found.keys()
    if missing:
        new = Mailbox.objects.filter(pk__in=missing)
        ensure_folders(new.values_list("pk", flat=True))
        found |= inbox_state.find(missing, now)
    return found
