"""What stands beside every webmail page: mailboxes, folders, and what waits in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.storage import folder_actions, mailbox_delivery
from engine.storage.models import Folder, FolderRole
from portal.webmail.access import Desk, Desks, desks_of

# Where counting stops, and "+" begins.
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A folder, and how many of its messages are unread or, in Drafts, unfinished."""

    folder: Folder
    count: int

    @property
    def count_word(self) -> str:
        drafts = self.folder.role == FolderRole.DRAFTS
        return "in this folder" if drafts else "unread"

    @property
    def shown(self) -> str:
        is_more = self.count > COUNT_LIMIT
        return f"{COUNT_LIMIT}+" if is_more else str(self.count)

    @property
    def unread(self) -> str:
        """How many are unread; empty without any."""
        is_none = self.folder.role == FolderRole.DRAFTS or not self.count
        return "" if is_none else self.shown

    @property
    def short_name(self) -> str:
        """The name without that of the folder above it."""
        return self.folder.name.rpartition("/")[2]

    @property
    def is_inner(self) -> bool:
        return self.folder.is_custom and "/" in self.folder.name


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The mailboxes of a person, and the folders of the one that is open."""

    desks: Desks
    desk: Desk
    lines: list[FolderLine]

    @property
    def inbox(self) -> Folder:
        return self.of_role(FolderRole.INBOX)

    @property
    def own(self) -> list[FolderLine]:
        """The folders that the owner made."""
        return [line for line in self.lines if line.folder.is_custom]

    def of_role(self, role: FolderRole) -> Folder:
        return next(line.folder for line in self.lines if line.folder.role == role)

    def line_of(self, folder: Folder) -> FolderLine:
        return next(line for line in self.lines if line.folder == folder)

    def targets(self, folder: Folder | None = None) -> list[Folder]:
        """Where a message of this folder, or of any, may be moved to."""
        others = [line.folder for line in self.lines if line.folder != folder]
        return [f for f in others if f.takes_messages]


def sidebar(desks: Desks, desk: Desk) -> Sidebar:
    """Load the open mailbox's folders, and make the standard ones where missing."""
    found = _folders(desk)
    roles = {folder.role for folder in found}
    if not roles.issuperset(mailbox_delivery.STANDARD_FOLDERS):
        mailbox_delivery.ensure_folders([desk.mailbox.pk])
        found = _folders(desk)
    counts = folder_actions.waiting(desk.mailbox, limit=COUNT_LIMIT)
    lines = [FolderLine(folder, counts.get(folder.pk, 0)) for folder in found]
    return Sidebar(desks, desk, sorted(lines, key=_place))


def render_with_sidebar(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page of the address book beside the person's folders."""
    desks = desks_of(request)
    desk = desks.first()
    if desk is None:
        return render(request, "webmail/no_mailbox.html")
    beside = {"sidebar": sidebar(desks, desk), "place": "book"}
    return render(request, template, {**beside, **context}, status=status)


def _folders(desk: Desk) -> list[Folder]:
    return list(Folder.objects.filter(mailbox=desk.mailbox))


def _place(line: FolderLine) -> tuple[int, str]:
    order = [*mailbox_delivery.STANDARD_FOLDERS, FolderRole.CUSTOM]
    return order.index(FolderRole(line.folder.role)), line.folder.name.casefold()
