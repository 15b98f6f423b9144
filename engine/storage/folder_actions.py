"""Actions of a mailbox's holder on folders, and on everything in a folder."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage import mailbox_changes, message_actions, retention_periods
from engine.storage.models import Folder, FolderRole, Message, Rule
from engine.storage.standard_folders import folder as folder_of

MAX_FOLDERS = 200
MAX_NAME = 60
# Messages changed in one transaction, so that no delivery to the mailbox waits for long.
CHUNK = 1000


@transaction.atomic
def create(mailbox: Mailbox, *, name: str) -> Folder:
    """Creates a folder; "Cases/R v K" is inside "Cases". Raises PolicyError."""
    # Locks the mailbox's row, so that two requests cannot both pass the checks below.
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if mailbox.folders.count() >= MAX_FOLDERS:
        raise PolicyError(f"A mailbox holds at most {MAX_FOLDERS} folders.")
    name = _checked(mailbox, name)
    made = Folder.objects.create(mailbox=mailbox, role=FolderRole.CUSTOM, name=name)
    mailbox_changes.note([mailbox.pk])
    return made


@transaction.atomic
def rename(folder: Folder, *, name: str) -> None:
    """Renames a custom folder, and the folders inside it. Raises PolicyError."""
    check_can_change(folder)
    Mailbox.objects.select_for_update().get(pk=folder.mailbox_id)
    before, folder.name = folder.name, _checked(folder.mailbox, name, of=folder)
    under = Folder.objects.filter(
        mailbox_id=folder.mailbox_id, name__startswith=f"{before}/"
    )
    if "/" in folder.name and under.exists():
        raise PolicyError(
            "This folder contains other folders, so it cannot be moved "
            "into another one."
        )
    folder.save(update_fields=["name"])
    # Nesting is part of the names: "Cases/R v K" is inside "Cases".
    for inner in under:
        inner.name = f"{folder.name}/{inner.name.partition('/')[2]}"
        inner.save(update_fields=["name"])
    mailbox_changes.note([folder.mailbox_id])


def remove(folder: Folder) -> None:
    """Moves the messages of a custom folder to Deleted, then deletes the folder.

    Rules that file into it are deleted too. A crash halfway leaves the folder with the
    remaining messages. Raises PolicyError.
    """
    check_can_change(folder)
    # In chunks before the transaction, which then has only late arrivals to move.
    move_all(folder, folder_of(folder.mailbox, FolderRole.TRASH))
    with transaction.atomic():
        locked = Folder.objects.select_for_update().get(pk=folder.pk)
        # A delivery or another session may have put a message there since.
        left = list(Message.objects.filter(folder=locked))
        message_actions.move(left, folder_of(folder.mailbox, FolderRole.TRASH))
        Rule.objects.filter(folder=locked).delete()
        locked.delete()
        mailbox_changes.note([folder.mailbox_id])


def check_can_change(folder: Folder) -> None:
    """Raises PolicyError for the folders that every mailbox has."""
    if not folder.is_custom:
        raise PolicyError(
            f"{folder.name} is a standard folder, which cannot be renamed or deleted."
        )


def mark_all_read(folder: Folder) -> int:
    """Marks everything in the folder as read; returns how many messages."""
    count = sum(
        Message.objects.filter(pk__in=ids).update(is_read=True)
        for ids in _chunks(folder, Q(is_read=False))
    )
    mailbox_changes.note([folder.mailbox_id])
    return count


def move_all(folder: Folder, target: Folder) -> int:
    """Moves everything to another folder of the mailbox; returns how many messages."""
    if target.mailbox_id != folder.mailbox_id or target == folder:
        raise PolicyError("Choose another folder of the same mailbox.")
    expires_at = retention_periods.expiry(target, timezone.now())
    count = sum(
        Message.objects.filter(pk__in=ids).update(folder=target, expires_at=expires_at)
        for ids in _chunks(folder)
    )
    mailbox_changes.note([folder.mailbox_id])
    return count


def empty(folder: Folder) -> int:
    """Erases everything in Deleted or Junk; returns how many messages."""
    if not folder.is_waste:
        raise PolicyError("Only Deleted and Junk can be emptied.")
    count = 0
    for ids in _chunks(folder):
        message_actions.erase(ids)
        count += len(ids)
    return count


def _chunks(folder: Folder, which: Q | None = None) -> Iterator[list[int]]:
    """Yields the ids of the messages that are there now, in chunks.

    Messages that arrive meanwhile are left out, or this might never end.
    """
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
    """Returns the name as it is stored. Raises PolicyError with the sentence to show."""
    parts = [" ".join(part.split()) for part in name.split("/")]
    name = "/".join(parts)
    if not all(parts) or not name.isprintable():
        raise PolicyError("Enter a name for the folder.")
    if len(parts) > 2:
        raise PolicyError("A folder can be in one other folder, not deeper.")
    if len(name) > MAX_NAME:
        raise PolicyError(f"Enter a name of at most {MAX_NAME} characters.")
    others = [folder for folder in mailbox.folders.all() if folder != of]
    taken = {other.name.casefold() for other in others}
    if name.casefold() in taken:
        raise PolicyError(f"A folder called {name} already exists.")
    if len(parts) == 2 and parts[0].casefold() not in taken:
        raise PolicyError(f"Make the folder {parts[0]} first.")
    return name
