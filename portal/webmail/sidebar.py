"""What stands beside every webmail page: mailboxes, folders and their counts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from engine.storage import delivery
from engine.storage.models import Folder, FolderRole
from portal.webmail.access import Desk, Desks


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A folder with how many messages are in it."""

    folder: Folder
    total: int
    unread: int

    @property
    def count(self) -> int:
        """The number that says whether there is something to do."""
        return self.total if self.folder.role == FolderRole.DRAFTS else self.unread

    @property
    def count_word(self) -> str:
        drafts = self.folder.role == FolderRole.DRAFTS
        return "in this folder" if drafts else "unread"


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The mailboxes of a person, and the folders of the one that is open."""

    desks: Desks
    desk: Desk
    lines: list[FolderLine]

    @property
    def inbox(self) -> Folder:
        return next(
            line.folder for line in self.lines if line.folder.role == FolderRole.INBOX
        )

    def line_of(self, folder: Folder) -> FolderLine:
        return next(line for line in self.lines if line.folder == folder)

    def targets(self, folder: Folder) -> list[Folder]:
        """Where a message of this folder may be moved to."""
        others = [line.folder for line in self.lines if line.folder != folder]
        return [f for f in others if f.role not in (FolderRole.DRAFTS, FolderRole.SENT)]


def sidebar(desks: Desks, desk: Desk) -> Sidebar:
    """Load the open mailbox's folders, and make the standard ones where missing."""
    folders = _folders(desk)
    roles = {folder.role for folder in folders}
    if not roles.issuperset(delivery.STANDARD_FOLDERS):
        delivery.ensure_folders([desk.mailbox.pk])
        folders = _folders(desk)
    return Sidebar(desks, desk, sorted(map(_line, folders), key=_place))


def _folders(desk: Desk) -> list[Folder]:
    return list(
        Folder.objects.filter(mailbox=desk.mailbox).annotate(
            total=Count("messages"),
            unread=Count("messages", filter=Q(messages__is_read=False)),
        )
    )


def _line(folder: Folder) -> FolderLine:
    counts = vars(folder)
    return FolderLine(folder, counts["total"], counts["unread"])


def _place(line: FolderLine) -> tuple[int, str]:
    order = [*delivery.STANDARD_FOLDERS, FolderRole.CUSTOM]
    return order.index(FolderRole(line.folder.role)), line.folder.name.casefold()
