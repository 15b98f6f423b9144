"""Putting messages into mailboxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from engine import rows
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary, summarise
from engine.registry.models import Mailbox
from engine.storage.models import Content, Folder, FolderRole, Message

STANDARD_FOLDERS = [
    FolderRole.INBOX,
    FolderRole.DRAFTS,
    FolderRole.SENT,
    FolderRole.ARCHIVE,
    FolderRole.JUNK,
    FolderRole.TRASH,
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one mailbox: which content, and what a list shows of it."""

    mailbox_id: int
    content_id: int
    size: int
    envelope_sender: str
    summary: Summary


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
)


def deliver(deliveries: Sequence[Delivery]) -> list[int]:
    """Put each message into its mailbox's inbox, in the caller's transaction.

    Returns the ids of the messages.
    """
    if not deliveries:
        return []
    now = timezone.now()
    inboxes = _inboxes({delivery.mailbox_id for delivery in deliveries})
    unmarked = (False,) * 4
    return rows.insert(
        Message,
        COLUMNS,
        [
            (
                delivery.mailbox_id,
                inboxes[delivery.mailbox_id],
                delivery.content_id,
                delivery.envelope_sender,
                now,
                delivery.summary.from_name,
                delivery.summary.from_address,
                delivery.summary.to_summary,
                delivery.summary.subject,
                delivery.summary.message_id,
                delivery.size,
                delivery.summary.has_attachments,
                *unmarked,
            )
            for delivery in deliveries
        ],
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


def _inboxes(mailbox_ids: set[int]) -> dict[int, int]:
    """Folder ids by mailbox id."""
    found = _find_inboxes(mailbox_ids)
    missing = mailbox_ids - found.keys()
    if missing:
        ensure_folders(missing)
        found |= _find_inboxes(missing)
    return found


def _find_inboxes(mailbox_ids: set[int]) -> dict[int, int]:
    rows = Folder.objects.filter(mailbox_id__in=mailbox_ids, role=FolderRole.INBOX)
    return dict(rows.values_list("mailbox_id", "id"))
