"""The folders that every mailbox has, made when they are first needed."""

from __future__ import annotations

from collections.abc import Iterable

from engine.database.prepared_queries import PreparedQuery
from engine.registry.models import Mailbox
from engine.storage.models import Folder, FolderRole

STANDARD_FOLDERS = [
    FolderRole.INBOX,
    FolderRole.DRAFTS,
    FolderRole.SENT,
    FolderRole.ARCHIVE,
    FolderRole.JUNK,
    FolderRole.TRASH,
]

_FOLDER = PreparedQuery(
    lambda mailbox, role: Folder.objects.filter(mailbox=mailbox, role=role).order_by(
        "pk"
    )[:1]
)


def folder(mailbox: Mailbox, role: FolderRole) -> Folder:
    """Returns the mailbox's folder with this role; makes all of them if it is missing."""
    found = _FOLDER.first(mailbox.pk, role)
    if found is None:
        ensure_folders([mailbox.pk])
        found = Folder.objects.get(mailbox=mailbox, role=role)
    return found


def inbox(mailbox: Mailbox) -> Folder:
    """Returns the mailbox's inbox."""
    return folder(mailbox, FolderRole.INBOX)


def ensure_folders(mailbox_ids: Iterable[int]) -> None:
    """Makes the standard folders of each mailbox; existing ones stay as they are."""
    Folder.objects.bulk_create(
        [
            Folder(mailbox_id=mailbox_id, role=role, name=role.label)
            for mailbox_id in mailbox_ids
            for role in STANDARD_FOLDERS
        ],
        # Two deliveries may make the folders of one mailbox at the same moment.
        ignore_conflicts=True,
    )
