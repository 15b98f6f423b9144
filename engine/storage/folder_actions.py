"""What the holder of a mailbox does with folders, and with all that lies in one."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage import message_actions, retention_periods
from engine.storage.mailbox_delivery import folder as folder_of
from engine.storage.models import Folder, FolderRole, Message, Rule

MAX_FOLDERS = 200
MAX_NAME = 60
# Messages changed in one transaction, so that nobody's delivery waits for long.
CHUNK = 1000

_WAITING = """
    SELECT folder.id, CASE folder.role WHEN 'drafts'
        THEN (SELECT COUNT(*) FROM (
            SELECT 1 FROM storage_message WHERE folder_id = folder.id
            LIMIT %s) AS counted)
        ELSE (SELECT COUNT(*) FROM (
            SELECT 1 FROM storage_message WHERE folder_id = folder.id AND NOT is_read
            LIMIT %s) AS counted)
        END
    FROM storage_folder folder WHERE folder.mailbox_id = %s
"""


def waiting(mailbox: Mailbox, *, limit: int) -> dict[int, int]:
    """Unread messages by folder; in Drafts, all.

    No folder is counted further than one more than the limit, so that a hundred
    thousand unread messages hold up no page.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [limit + 1, limit + 1, mailbox.pk])
        return dict(cursor.fetchall())


@transaction.atomic
def create(mailbox: Mailbox, *, name: str) -> Folder:
    """Make a folder. "Cases/R v K" stands under "Cases". Raises PolicyError."""
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if mailbox.folders.count() >= MAX_FOLDERS:
        raise PolicyError(f"A mailbox holds at most {MAX_FOLDERS} folders.")
    name = _checked(mailbox, name)
    return Folder.objects.create(mailbox=mailbox, role=FolderRole.CUSTOM, name=name)


@transaction.atomic
def rename(folder: Folder, *, name: str) -> None:
    """Give a folder of one's own another name, and those under it with it."""
    check_can_change(folder)
    Mailbox.objects.select_for_update().get(pk=folder.mailbox_id)
    before, folder.name = folder.name, _checked(folder.mailbox, name, of=folder)
    under = Folder.objects.filter(
        mailbox_id=folder.mailbox_id, name__startswith=f"{before}/"
    )
    if "/" in folder.name and under.exists():
        raise PolicyError("A folder that holds folders cannot stand under another.")
    folder.save(update_fields=["name"])
    for inner in under:
        inner.name = f"{folder.name}/{inner.name.partition('/')[2]}"
        inner.save(update_fields=["name"])


def remove(folder: Folder) -> None:
    """Move what is in a folder of one's own to Deleted, and then the folder away.

    Rules that file into it go with it. A crash halfway leaves the folder with the rest.
    """
    check_can_change(folder)
    move_all(folder, folder_of(folder.mailbox, FolderRole.TRASH))
    with transaction.atomic():
        locked = Folder.objects.select_for_update().get(pk=folder.pk)
        # Somebody may have put a message there since.
        left = list(Message.objects.filter(folder=locked))
        message_actions.move(left, folder_of(folder.mailbox, FolderRole.TRASH))
        Rule.objects.filter(folder=locked).delete()
        locked.delete()


def check_can_change(folder: Folder) -> None:
    """Raise PolicyError for the folders that every mailbox has."""
    if not folder.is_custom:
        raise PolicyError(f"{folder.name} belongs to every mailbox and stays as it is.")


def mark_all_read(folder: Folder) -> int:
    """Mark everything in the folder as read; return how many messages that were."""
    return sum(
        Message.objects.filter(pk__in=ids).update(is_read=True)
        for ids in _chunks(folder, Q(is_read=False))
    )


def move_all(folder: Folder, target: Folder) -> int:
    """Move everything into another folder of the mailbox; return how many."""
    if target.mailbox_id != folder.mailbox_id or target == folder:
        raise PolicyError("Choose another folder of the same mailbox.")
    expires_at = retention_periods.expiry(target, timezone.now())
    return sum(
        Message.objects.filter(pk__in=ids).update(folder=target, expires_at=expires_at)
        for ids in _chunks(folder)
    )


def empty(folder: Folder) -> int:
    """Erase everything in Deleted or Junk for good; return how many."""
    if not folder.is_waste:
        raise PolicyError("Only Deleted and Junk can be emptied.")
    count = 0
    for ids in _chunks(folder):
        message_actions.erase(ids)
        count += len(ids)
    return count


def _chunks(folder: Folder, which: Q | None = None) -> Iterator[list[int]]:
    """Ids of what is there now, a piece at a time, until none of it is left."""
    newest = Message.objects.filter(folder=folder).order_by("-pk").first()
    rows = Message.objects.filter(which or Q(), folder=folder)
    after = 0
    while newest is not None:
        piece = rows.filter(pk__gt=after, pk__lte=newest.pk).order_by("pk")
        ids = list(piece.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        yield ids
        after = ids[-1]


def _checked(mailbox: Mailbox, name: str, *, of: Folder | None = None) -> str:
    """The name as it is kept. Raises PolicyError with the sentence to show."""
    parts = [" ".join(part.split()) for part in name.split("/")]
    name = "/".join(parts)
    if not all(parts) or not name.isprintable():
        raise PolicyError("Enter a name for the folder.")
    if len(parts) > 2:
        raise PolicyError("A folder can stand under one other folder, not deeper.")
    if len(name) > MAX_NAME:
        raise PolicyError(f"Enter a name of at most {MAX_NAME} characters.")
    others = [folder for folder in mailbox.folders.all() if folder != of]
    taken = {other.name.casefold() for other in others}
    if name.casefold() in taken:
        raise PolicyError(f"There is a folder called {name} already.")
    if len(parts) == 2 and parts[0].casefold() not in taken:
        raise PolicyError(f"Make the folder {parts[0]} first.")
    return name
