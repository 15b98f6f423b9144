"""Actions of a mailbox's holder on messages. Not audited, because it is their own mail."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.mail.message import split
from engine.storage import content, mailbox_changes, quota, retention_periods
from engine.storage.content_keys import COMMUNITY
from engine.storage.mailbox_delivery import summary_of
from engine.storage.models import Content, FirstUse, Folder, FolderRole, Message
from engine.storage.organising.forgetting import forget
from engine.storage.search import index_table
from engine.storage.standard_folders import folder


@transaction.atomic
def append(
    target: Folder,
    raw: bytes,
    *,
    is_read: bool = True,
    is_draft: bool = False,
    has_attachments: bool | None = None,
    reference: str = "",
) -> Message:
    """Stores a message in a folder unchanged, such as a sent copy or a draft.

    Looks for attachments, unless the caller has. `reference` is the queue's, of a message
    that was sent.
    """
    header, body = split(raw)
    kept = content.keep(header, body, has_attachments=has_attachments)
    # Only where it is needed: the mailbox may have to be looked up.
    holder = target.mailbox.organisation_id if kept.key else COMMUNITY
    row = content.save(kept, holder=holder)
    quota.count_in([(target.mailbox_id, row.size)])
    summary = summary_of(header)
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
        has_attachments=kept.has_attachments,
        is_read=is_read,
        is_draft=is_draft,
        reference=reference,
        thread=summary.thread,
    )


def mark_read(messages: Collection[Message], *, is_read: bool) -> None:
    """Marks messages read or unread."""
    _rows(messages).update(is_read=is_read)
    _note(messages)


def note_use(messages: Collection[Message], how: FirstUse) -> list[Message]:
    """Notes the first use of messages; call it before their content is shown.

    Returns those that are still in a mailbox: what is left out was withdrawn or erased
    after it was loaded, and must not be shown. A recall takes back only what has no use,
    so that of an opening and a recall at one moment one wins. Notices without a sender are
    noted, too: nobody recalls them, but operators ask who opened what. Copies in Sent,
    which cannot be told from them, are noted with them; drafts are not.
    """
    unused = [one for one in messages if one.reference and not one.first_use]
    if not unused:
        return list(messages)
    rows = _rows(unused).filter(first_use="")
    if rows.update(first_use=how) == len(unused):
        gone = set()
    else:
        left = set(_rows(unused).values_list("pk", flat=True))
        gone = {one.pk for one in unused} - left
    for one in unused:
        one.first_use = how
    return [one for one in messages if one.pk not in gone]


def flag(messages: Collection[Message], *, is_flagged: bool) -> None:
    """Flags messages, or removes their flag."""
    _rows(messages).update(is_flagged=is_flagged)
    _note(messages)


def mark_answered(message: Message) -> None:
    """Marks a message as replied to."""
    Message.objects.filter(pk=message.pk).update(is_answered=True)
    _note([message])


def move(messages: Collection[Message], target: Folder) -> None:
    """Moves messages to another folder of the same mailbox.

    In Deleted and Junk they get an expiry; elsewhere they lose it.
    """
    _rows(messages).filter(mailbox_id=target.mailbox_id).update(
        folder=target, expires_at=retention_periods.expiry(target, timezone.now())
    )
    _note(messages)


def delete(messages: Collection[Message]) -> None:
    """Moves messages to Deleted; erases those that are there already."""
    # By the folder that the caller saw, so that a message that another session has moved to
    # Deleted meanwhile is not erased by a click that meant to move it there.
    gone = [m.pk for m in messages if m.folder.role == FolderRole.TRASH]
    kept = [m for m in messages if m.folder.role != FolderRole.TRASH]
    for mailbox in {m.mailbox for m in kept}:
        mine = [m for m in kept if m.mailbox_id == mailbox.pk]
        move(mine, folder(mailbox, FolderRole.TRASH))
    erase(gone)


@transaction.atomic
def erase(message_ids: Collection[int]) -> None:
    """Erases messages, their words in the search index, and content that nothing else
    holds."""
    rows = Message.objects.filter(pk__in=message_ids)
    # Locked, so that a concurrent erasure of the same messages does not subtract them
    # from the quota a second time.
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    gone = list(locked.values_list("content_id", "mailbox_id", "size"))
    rows.delete()
    index_table.forget(message_ids)
    forget(message_ids)
    quota.count_out((mailbox_id, size) for _, mailbox_id, size in gone)
    delete_unreferenced({content_id for content_id, _, _ in gone})


def _note(messages: Collection[Message]) -> None:
    mailbox_changes.note({message.mailbox_id for message in messages})


def _rows(messages: Collection[Message]) -> QuerySet[Message]:
    return Message.objects.filter(pk__in=[message.pk for message in messages])


def delete_unreferenced(content_ids: Collection[int]) -> None:
    """Deletes the contents that no message refers to: none in a folder, none withdrawn,
    none queued.

    A blob is deleted only with the last content that names it: a distribution list's
    copy has its own header and shares the body.
    """
    unreferenced = dict(
        Content.objects.filter(
            pk__in=content_ids,
            messages__isnull=True,
            withdrawn_copies__isnull=True,
            queued__isnull=True,
        ).values_list("pk", "blob_key")
    )
    Content.objects.filter(pk__in=unreferenced).delete()
    keys = set(filter(None, unreferenced.values()))
    shared = Content.objects.in_blobs(keys)
    alone = keys.difference(shared.values_list("blob_key", flat=True))
    store.delete_after_commit(Kind.BODY, *alone)
