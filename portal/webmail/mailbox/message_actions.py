"""Acts on selected messages of a folder: marks, moves and deletes them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.storage import message_actions
from engine.storage.models import Folder, FolderRole, Message
from engine.storage.organising import archive
from engine.storage.standard_folders import folder as folder_of
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox import undo_move, waiting_messages
from portal.webmail.mailbox.list_options import read_options
from portal.webmail.request_ids import parse_id
from portal.webmail.sidebar import sidebar

MarkAction = Callable[[list[Message]], None]

# Messages that one action affects.
SELECTION_LIMIT = 5000


@requires_mail
@require_POST
def act(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Performs one action on the selected messages of a folder."""
    mailboxes = accessible_mailboxes(request)
    access, folder = mailboxes.writable_folder(folder_id)
    name = request.POST.get("do", "")
    if name not in (*MARK_ACTIONS, *MOVE_ACTIONS, "move", "erase"):
        raise Http404
    chosen = _selected_messages(request, folder)
    place = reverse("webmail:folder", args=[folder.pk])
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
    elif name == "delete" and folder.role == FolderRole.TRASH:
        context = {
            "sidebar": sidebar(mailboxes, access),
            "folder": folder,
            "chosen": chosen,
        }
        return render(request, "webmail/mailbox/delete_messages.html", context)
    elif name == "erase":
        _erase(request, chosen, folder)
    elif name in MARK_ACTIONS:
        mark(request, chosen, name)
    else:
        target = target_folder(request, mailboxes, access, name)
        move(request, chosen, target, place=place)
    return redirect(_back(request, folder))


@requires_mail
@require_POST
def undo_last_move(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Undoes the last move out of this folder."""
    access, folder = accessible_mailboxes(request).writable_folder(folder_id)
    place = reverse("webmail:folder", args=[folder.pk])
    count = undo_move.restore(request, access.mailbox, place=place)
    report_undo(request, count, f"moved back to {folder.name}")
    return redirect(_back(request, folder))


def report_undo(request: HttpRequest, count: int, done: str) -> None:
    """Shows how many messages an undo put back."""
    if count:
        messages.success(request, count_phrase(count, done))
    else:
        messages.warning(
            request,
            "Nothing was moved back: the messages are no longer where they were put.",
        )


def target_folder(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    name: str,
) -> Folder:
    """Returns the folder to move to: that of the button, or the selected one.

    Raises Http404 for a folder of another mailbox and for one that takes no messages.
    """
    if name in MOVE_ACTIONS:
        return folder_of(access.mailbox, MOVE_ACTIONS[name])
    folder_id = parse_id(request.POST.get("target", ""))
    if folder_id is None:
        raise Http404
    _, target = mailboxes.folder(folder_id)
    if target.mailbox_id != access.mailbox.pk or not target.takes_messages:
        raise Http404
    return target


def count_phrase(count: int, done: str) -> str:
    """Formats a count with what was done: "3 messages moved to Archive"."""
    return ngettext(
        "%(count)d message %(done)s", "%(count)d messages %(done)s", count
    ) % {"count": count, "done": done}


def _selected_messages(request: HttpRequest, folder: Folder) -> list[Message]:
    """Returns the selected messages, with their conversations if rows show those."""
    rows = Message.objects.filter(folder=folder)
    chosen = rows.filter(pk__in=selected_ids(request))
    if request.POST.get("gathers"):
        threads = list(chosen.order_by().values_list("thread", flat=True))
        chosen = rows.filter(thread__in=threads)
    return list(chosen.select_related("folder", "mailbox")[:SELECTION_LIMIT])


def selected_ids(request: HttpRequest) -> list[int]:
    """Returns the ids of the selected messages, at most SELECTION_LIMIT."""
    ids = map(parse_id, request.POST.getlist("message"))
    return [row_id for row_id in ids if row_id is not None][:SELECTION_LIMIT]


def mark(request: HttpRequest, chosen: list[Message], name: str) -> None:
    """Applies a mark, such as read or flagged."""
    words, change = MARK_ACTIONS[name]
    change(chosen)
    messages.success(request, count_phrase(len(chosen), words))


def move(
    request: HttpRequest, chosen: list[Message], target: Folder, *, place: str
) -> None:
    """Moves messages and offers an undo on the page at `place`.

    Those that have not left yet do not move to where they would be erased.
    """
    if target.is_waste:
        try:
            waiting_messages.check_have_left(chosen)
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
            return
    if target.role == FolderRole.ARCHIVE and archive.is_by_year(target.mailbox):
        _archive_by_year(request, chosen, target, place=place)
        return
    message_actions.move(chosen, target)
    undo_move.remember(request, chosen, targets=[target], place=place)
    messages.success(request, count_phrase(len(chosen), f"moved to {target.name}"))


def _archive_by_year(
    request: HttpRequest, chosen: list[Message], target: Folder, *, place: str
) -> None:
    """Moves messages into the folders of their years, as the mailbox's setting says."""
    try:
        moved = archive.archive(target.mailbox, chosen, by_year=True)
    except PolicyError as refusal:
        messages.warning(request, f"Nothing was moved: {refusal}")
        return
    undo_move.remember(request, chosen, targets=list(moved), place=place)
    names = ", ".join(sorted(one.name for one in moved))
    messages.success(request, count_phrase(len(chosen), f"moved to {names}"))


def _erase(request: HttpRequest, chosen: list[Message], folder: Folder) -> None:
    if folder.role != FolderRole.TRASH:
        raise Http404
    try:
        waiting_messages.check_have_left(chosen)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
        return
    message_actions.erase([message.pk for message in chosen])
    messages.success(request, count_phrase(len(chosen), "deleted for good"))


def _back(request: HttpRequest, folder: Folder) -> str:
    """Returns the URL of the list that was acted on, with its order and filter."""
    options = read_options(folder, request.POST)
    numbers = {name: request.POST.get(name, "") for name in ("past", "page")}
    where = {name: value for name, value in numbers.items() if value.isdigit()}
    query = urlencode({**options.query, **where})
    place = reverse("webmail:folder", args=[folder.pk])
    return f"{place}?{query}" if query else place


def _read(chosen: list[Message]) -> None:
    message_actions.mark_read(chosen, is_read=True)


def _unread(chosen: list[Message]) -> None:
    message_actions.mark_read(chosen, is_read=False)


def _flag(chosen: list[Message]) -> None:
    message_actions.flag(chosen, is_flagged=True)


def _unflag(chosen: list[Message]) -> None:
    message_actions.flag(chosen, is_flagged=False)


MARK_ACTIONS: dict[str, tuple[str, MarkAction]] = {
    "read": ("marked as read", _read),
    "unread": ("marked as unread", _unread),
    "flag": ("flagged", _flag),
    "unflag": ("no longer flagged", _unflag),
}
MOVE_ACTIONS: dict[str, FolderRole] = {
    "archive": FolderRole.ARCHIVE,
    "delete": FolderRole.TRASH,
    "junk": FolderRole.JUNK,
    "inbox": FolderRole.INBOX,
}
