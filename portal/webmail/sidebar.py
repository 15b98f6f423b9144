"""The sidebar of every webmail page: mailboxes, folders and unread counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from engine.storage import folder_list, standard_folders
from engine.storage.folder_list import ListedFolder
from engine.storage.models import Folder, FolderRole, Label
from engine.storage.organising import labels
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
)
from portal.webmail.models import SavedSearch

# The highest count shown exactly; beyond it the sidebar shows "10000+".
COUNT_LIMIT = 10_000
# How long the Inbox says that something was withdrawn.
ANNOUNCED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A folder and its number of unread messages; of all messages for Drafts."""

    folder: Folder
    count: int
    newest: int = 0
    """The id of the newest message; 0 where the folder is empty."""
    total: int = 0
    """All messages, of the folder whose page is open."""
    has_withdrawn: bool = False
    """True for an Inbox that lost messages lately."""

    @property
    def count_label(self) -> str:
        """What the count counts, for screen readers."""
        drafts = self.folder.role == FolderRole.DRAFTS
        return "in this folder" if drafts else "unread"

    @property
    def shown(self) -> str:
        """The count as text, with "+" above COUNT_LIMIT."""
        is_more = self.count > COUNT_LIMIT
        return f"{COUNT_LIMIT}+" if is_more else str(self.count)

    @property
    def unread(self) -> str:
        """The number of unread messages as text; empty if there are none."""
        is_none = self.folder.role == FolderRole.DRAFTS or not self.count
        return "" if is_none else self.shown

    @property
    def short_name(self) -> str:
        """The last component of the folder's path."""
        return self.folder.name.rpartition("/")[2]

    @property
    def is_inner(self) -> bool:
        """True for a folder inside another."""
        return self.folder.is_custom and "/" in self.folder.name


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The person's mailboxes and the folders of the open one."""

    mailboxes: AccessibleMailboxes
    access: MailboxAccess
    lines: list[FolderLine]
    searches: list[SavedSearch] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    has_reminders: bool = False

    @property
    def inbox(self) -> Folder:
        """The Inbox of the open mailbox."""
        return self.of_role(FolderRole.INBOX)

    @property
    def own(self) -> list[FolderLine]:
        """The folders that people made, without the standard ones."""
        return [line for line in self.lines if line.folder.is_custom]

    @property
    def arriving(self) -> list[FolderLine]:
        """The folders that new mail is announced of: Inbox, and what rules file into."""
        roles = (FolderRole.INBOX, FolderRole.CUSTOM)
        return [line for line in self.lines if line.folder.role in roles]

    @property
    def newest(self) -> int:
        """The id of the newest message that was announced, or need not be."""
        return max((line.newest for line in self.arriving), default=0)

    def of_role(self, role: FolderRole) -> Folder:
        """Returns the standard folder with this role."""
        return next(line.folder for line in self.lines if line.folder.role == role)

    def line_of(self, folder: Folder) -> FolderLine:
        """Returns the sidebar's line for a folder."""
        return self.line_at(folder.pk)

    def line_at(self, folder_id: int) -> FolderLine:
        """Returns the line of the folder with this id."""
        return next(line for line in self.lines if line.folder.pk == folder_id)

    def targets(self, folder: Folder | None = None) -> list[Folder]:
        """Returns the folders that a message can be moved to, other than `folder`."""
        others = [line.folder for line in self.lines if line.folder != folder]
        return [f for f in others if f.takes_messages]


def sidebar(mailboxes: AccessibleMailboxes, access: MailboxAccess) -> Sidebar:
    """Loads the folders of the open mailbox, and creates missing standard folders.

    Under emergency access nothing is written, so that there may be none.
    """
    mailbox_id = access.mailbox.pk
    found = folder_list.of_mailbox(
        mailbox_id, limit=COUNT_LIMIT, withdrawn_since=_announced_since()
    )
    return _sidebar(mailboxes, access, found)


def sidebar_of_folder(mailboxes: AccessibleMailboxes, folder_id: int) -> Sidebar:
    """Loads the folders of the mailbox with this folder, whose page is open.

    Raises Http404 if the person may not read it.
    """
    access, found = mailboxes.folders_beside(
        folder_id, limit=COUNT_LIMIT, withdrawn_since=_announced_since()
    )
    return _sidebar(mailboxes, access, found)


def _sidebar(
    mailboxes: AccessibleMailboxes, access: MailboxAccess, found: list[ListedFolder]
) -> Sidebar:
    roles = {one.folder.role for one in found}
    is_complete = roles.issuperset(standard_folders.STANDARD_FOLDERS)
    if not is_complete and access.emergency is None:
        standard_folders.ensure_folders([access.mailbox.pk])
        return sidebar(mailboxes, access)
    lines = [
        FolderLine(
            one.folder,
            one.waiting,
            one.newest,
            total=one.total or 0,
            has_withdrawn=one.has_withdrawn,
        )
        for one in found
    ]
    panel = Sidebar(mailboxes.beside(access), access, sorted(lines, key=_place))
    if access.emergency is not None:
        return panel
    kept = SavedSearch.objects.of(mailboxes.person, access.mailbox)
    has_labels = any(one.has_labels for one in found)
    return replace(
        panel,
        searches=list(kept) if access.keeps_searches else [],
        labels=labels.of_mailbox(access.mailbox) if has_labels else [],
        has_reminders=any(one.has_reminders for one in found),
    )


def render_with_sidebar(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Renders a page that belongs to the person rather than to one mailbox.

    The sidebar shows their default mailbox. Someone without a mailbox gets an
    explanation instead.
    """
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.first()
    if access is None:
        return render(request, "webmail/no_mailbox.html")
    panel = {"sidebar": sidebar(mailboxes, access), "place": "book"}
    return render(request, template, {**panel, **context}, status=status)


def _announced_since() -> datetime:
    return timezone.now() - ANNOUNCED


def _place(line: FolderLine) -> tuple[int, str]:
    order = [*standard_folders.STANDARD_FOLDERS, FolderRole.SNOOZED, FolderRole.CUSTOM]
    return order.index(FolderRole(line.folder.role)), line.folder.name.casefold()
