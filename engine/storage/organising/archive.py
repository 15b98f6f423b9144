"""Archives messages into a folder for each year: Archive/2026."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage import folder_actions, message_actions
from engine.storage.models import (
    Folder,
    FolderRole,
    MailboxSettings,
    Message,
)
from engine.storage.standard_folders import folder as folder_of

# Messages moved in one transaction, and such transactions in one job.
CHUNK = 500
CHUNKS_AT_ONCE = 10


def is_by_year(mailbox: Mailbox) -> bool:
    """Whether Archive moves messages of this mailbox into the folder of their year."""
    return MailboxSettings.objects.filter(
        mailbox=mailbox, archives_by_year=True
    ).exists()


def archive(
    mailbox: Mailbox, messages: Collection[Message], *, by_year: bool
) -> dict[Folder, list[Message]]:
    """Moves messages of a mailbox to Archive, or into the folders of their years.

    Returns what went where. Raises PolicyError where no folder can be made any more.
    """
    parts: dict[int | None, list[Message]] = {}
    for message in messages:
        year = timezone.localtime(message.received_at).year if by_year else None
        parts.setdefault(year, []).append(message)
    moved = {}
    with transaction.atomic():
        for year, some in parts.items():
            target = (
                _year_folder(mailbox, year)
                if year is not None
                else folder_of(mailbox, FolderRole.ARCHIVE)
            )
            message_actions.move(some, target)
            moved[target] = some
    return moved


def archive_slice(
    folder: Folder, *, before: datetime, by_year: bool, after: int = 0
) -> int | None:
    """Archives the next messages of a folder that arrived before a moment, by id.

    Returns the id to continue after; None when nothing is left. Safe to run twice.
    """
    rows = Message.objects.filter(folder=folder, is_draft=False).order_by("pk")
    for _ in range(CHUNKS_AT_ONCE):
        piece = list(rows.filter(pk__gt=after)[:CHUNK])
        if not piece:
            return None
        old = [message for message in piece if message.received_at < before]
        archive(folder.mailbox, old, by_year=by_year)
        after = piece[-1].pk
    return after


def check_can_archive(folder: Folder) -> None:
    """Raises PolicyError for folders that messages are not archived from."""
    archived = folder.role == FolderRole.ARCHIVE or folder.name.startswith("Archive/")
    if folder.is_waste or folder.role == FolderRole.DRAFTS or archived:
        raise PolicyError(f"Messages in {folder.name} are not archived.")


def _year_folder(mailbox: Mailbox, year: int) -> Folder:
    """Returns the folder of a year inside Archive; makes it if it is missing."""
    name = f"{folder_of(mailbox, FolderRole.ARCHIVE).name}/{year}"
    found = Folder.objects.filter(mailbox=mailbox, name=name).first()
    if found is not None:
        return found
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if mailbox.folders.count() >= folder_actions.MAX_FOLDERS:
        raise PolicyError(
            f"A mailbox holds at most {folder_actions.MAX_FOLDERS} folders. "
            f"Delete one, so that {name} can be made."
        )
    return Folder.objects.get_or_create(
        mailbox=mailbox, name=name, defaults={"role": FolderRole.CUSTOM}
    )[0]
