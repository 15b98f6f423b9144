"""What the holder of a mailbox does with messages. Not audited: their own mail."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.mail.message import split
from engine.storage import blob_store, content, quota, retention_periods
from engine.storage.mailbox_delivery import folder, summary_of
from engine.storage.models import Content, Folder, FolderRole, Message
from engine.storage.search import index_table


@transaction.atomic
def append(
    target: Folder, raw: bytes, *, is_read: bool = True, is_draft: bool = False
) -> Message:
    """Put a message into a folder as it is: a sent copy, a draft."""
    header, body = split(raw)
    row = content.row(content.keep(header, body))
    row.save(force_insert=True)
    quota.count_in([(target.mailbox_id, row.size)])
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
        thread=summary.thread,
    )


def mark_read(messages: Collection[Message], *, is_read: bool) -> None:
    """Mark messages read or unread."""
    _rows(messages).update(is_read=is_read)


def flag(messages: Collection[Message], *, is_flagged: bool) -> None:
    """Set messages apart with a flag, or take it off them."""
    _rows(messages).update(is_flagged=is_flagged)


def mark_answered(message: Message) -> None:
    """Remember that a message was replied to."""
    Message.objects.filter(pk=message.pk).update(is_answered=True)


def move(messages: Collection[Message], target: Folder) -> None:
    """Move messages to another folder of the same mailbox.

    In Deleted and Junk their time begins to run; elsewhere it stops.
    """
    _rows(messages).filter(mailbox_id=target.mailbox_id).update(
        folder=target, expires_at=retention_periods.expiry(target, timezone.now())
    )


def delete(messages: Collection[Message]) -> None:
    """Move messages to Deleted; those that are there already go for good."""
    gone = [m.pk for m in messages if m.folder.role == FolderRole.TRASH]
    kept = [m for m in messages if m.folder.role != FolderRole.TRASH]
    for mailbox in {m.mailbox for m in kept}:
        mine = [m for m in kept if m.mailbox_id == mailbox.pk]
        move(mine, folder(mailbox, FolderRole.TRASH))
    erase(gone)


@transaction.atomic
def erase(message_ids: Collection[int]) -> None:
    """Remove messages for good. Content that nothing else holds goes with them."""
    rows = Message.objects.filter(pk__in=message_ids)
    # Locked: whoever removes the same ones at this moment must not count them too.
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    gone = list(locked.values_list("content_id", "mailbox_id", "size"))
    rows.delete()
    index_table.forget(message_ids)
    quota.count_out((mailbox_id, size) for _, mailbox_id, size in gone)
    drop_unheld({content_id for content_id, _, _ in gone})


def _rows(messages: Collection[Message]) -> QuerySet[Message]:
    return Message.objects.filter(pk__in=[message.pk for message in messages])


def drop_unheld(content_ids: Collection[int]) -> None:
    """Remove those contents that no message and no queued message holds.

    A blob goes only with the last content that names it: a distribution list's copy
    has a header of its own and shares the body.
    """
    unheld = dict(
        Content.objects.filter(
            pk__in=content_ids, messages__isnull=True, queued__isnull=True
        ).values_list("pk", "blob_key")
    )
    Content.objects.filter(pk__in=unheld).delete()
    keys = set(filter(None, unheld.values()))
    shared = Content.objects.in_blobs(keys)
    for key in keys - set(shared.values_list("blob_key", flat=True)):
        transaction.on_commit(partial(blob_store.delete, key))
