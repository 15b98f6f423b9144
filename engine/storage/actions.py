"""What the holder of a mailbox does with messages. Not audited: their own mail."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction

from engine.mail.message import split
from engine.storage import blobs, content
from engine.storage.delivery import folder, summary_of
from engine.storage.models import Content, Folder, FolderRole, Message


@transaction.atomic
def append(
    target: Folder, raw: bytes, *, is_read: bool = True, is_draft: bool = False
) -> Message:
    """Put a message into a folder as it is: a sent copy, a draft."""
    header, body = split(raw)
    row = content.row(content.keep(header, body))
    row.save(force_insert=True)
    summary = summary_of(row)
    return Message.objects.create(
        mailbox_id=target.mailbox_id,
        folder=target,
        content=row,
        size=row.size,
        from_name=summary.from_name,
        from_address=summary.from_address,
        to_summary=summary.to_summary,
        subject=summary.subject,
        message_id=summary.message_id,
        has_attachments=summary.has_attachments,
        is_read=is_read,
        is_draft=is_draft,
    )


def mark_read(messages: Collection[Message], *, is_read: bool) -> None:
    """Mark messages read or unread."""
    ids = [message.pk for message in messages]
    Message.objects.filter(pk__in=ids).update(is_read=is_read)


def mark_answered(message: Message) -> None:
    """Remember that a message was replied to."""
    Message.objects.filter(pk=message.pk).update(is_answered=True)


def move(messages: Collection[Message], target: Folder) -> None:
    """Move messages to another folder of the same mailbox."""
    ids = [message.pk for message in messages]
    Message.objects.filter(pk__in=ids, mailbox_id=target.mailbox_id).update(
        folder=target
    )


def delete(messages: Collection[Message]) -> None:
    """Move messages to Deleted; those that are there already go for good."""
    gone = [m for m in messages if m.folder.role == FolderRole.TRASH]
    kept = [m for m in messages if m.folder.role != FolderRole.TRASH]
    for message in kept:
        move([message], folder(message.mailbox, FolderRole.TRASH))
    erase([message.pk for message in gone])


@transaction.atomic
def erase(message_ids: Collection[int]) -> None:
    """Remove messages for good. Content that nothing else holds goes with them."""
    rows = Message.objects.filter(pk__in=message_ids)
    content_ids = set(rows.values_list("content_id", flat=True))
    rows.delete()
    drop_unheld(content_ids)


def drop_unheld(content_ids: Collection[int]) -> None:
    """Remove those contents that no message and no queued message holds.

    A blob goes only with the last content that names it: a distribution list's copy
    has a header of its own and shares the body.
    """
    unheld = Content.objects.filter(
        pk__in=content_ids, messages__isnull=True, queued__isnull=True
    )
    keys = {key for key in unheld.values_list("blob_key", flat=True) if key}
    unheld.delete()
    shared = Content.objects.filter(blob_key__in=keys)
    for key in keys - set(shared.values_list("blob_key", flat=True)):
        transaction.on_commit(partial(blobs.delete, key))
