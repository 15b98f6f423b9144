"""Putting messages into mailboxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """One message for one mailbox. The summary may be given where it is known."""

    mailbox_id: int
    content: Content
    envelope_sender: str
    summary: Summary | None = None


def deliver(deliveries: Sequence[Delivery]) -> list[Message]:
    """Put each message into its mailbox's inbox, in the caller's transaction."""
    inboxes = _inboxes({delivery.mailbox_id for delivery in deliveries})
    summaries: dict[int, Summary] = {}
    messages = []
    for delivery in deliveries:
        content = delivery.content
        if content.pk not in summaries:
            summaries[content.pk] = delivery.summary or summary_of(content)
        messages.append(
            message_for(
                inboxes[delivery.mailbox_id],
                delivery.mailbox_id,
                content,
                summaries[content.pk],
                envelope_sender=delivery.envelope_sender,
            )
        )
    return Message.objects.bulk_create(messages)


def message_for(
    folder_id: int,
    mailbox_id: int,
    content: Content,
    summary: Summary,
    *,
    envelope_sender: str,
) -> Message:
    """A message row, not saved yet."""
    return Message(
        mailbox_id=mailbox_id,
        folder_id=folder_id,
        content=content,
        envelope_sender=envelope_sender,
        size=content.size,
        subject=summary.subject,
        from_name=summary.from_name,
        from_address=summary.from_address,
        to_summary=summary.to_summary,
        message_id=summary.message_id,
        has_attachments=summary.has_attachments,
    )


def summary_of(content: Content) -> Summary:
    """What a list of messages shows of this one."""
    return summarise(HeaderBlock.parse(bytes(content.header)))


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
