from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from engine.storage import message_actions
from engine.storage.mailbox_delivery import folder as folder_of
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.mailbox import undo_move
from portal.webmail.mailbox.list_options import view_of
from portal.webmail.sidebar import sidebar

Mark = Callable[[list[Message]], None]

# Messages that one press of a button acts on.
LIMIT = 5000


@uses_mail
@require_POST
def act(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Do one thing to the chosen messages of a folder."""
    desks = desks_of(request)
    desk, folder = desks.writable_folder(folder_id)
    name = request.POST.get("do", "")
    if name not in (*MARKS, *PLACES, "move", "erase"):
        raise Http404
    chosen = _chosen(request, folder)
    place = reverse("webmail:folder", args=[folder.pk])
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
    elif name == "delete" and folder.role == FolderRole.TRASH:
        context = {"sidebar": sidebar(desks, desk), "folder": folder, "chosen": chosen}
        return render(request, "webmail/mailbox/delete_messages.html", context)
    elif name == "erase":
        messages.success(request, _erase(chosen, folder))
    elif name in MARKS:
        mark(request, chosen, name)
    else:
        target = target_of(request, desks, desk, name)
        move(request, chosen, target, place=place)
    return redirect(_back(request, folder))


@uses_mail
@require_POST
def take_back(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Undo the last move out of this folder."""
    desk, folder = desks_of(request).writable_folder(folder_id)
    place = reverse("webmail:folder", args=[folder.pk])
    count = undo_move.take_back(request, desk.mailbox, place=place)
    tell_taken_back(request, count, f"back in {folder.name}")
    return redirect(_back(request, folder))


def tell_taken_back(request: HttpRequest, count: int, done: str) -> None:
    if count:
        messages.success(request, counted(count, done))
    else:
        messages.warning(request, "There is nothing left to take back.")


def target_of(request: HttpRequest, desks: Desks, desk: Desk, name: str) -> Folder:
    """Where the messages go: the folder of that button, or the one that was chosen."""
    if name in PLACES:
        return folder_of(desk.mailbox, PLACES[name])
    value = request.POST.get("target", "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise Http404
    _, target = desks.folder(int(value))
    if target.mailbox_id != desk.mailbox.pk or not target.takes_messages:
        raise Http404
    return target


def counted(count: int, done: str) -> str:
    """ "3 messages moved to Archive"."""
    return ngettext(
        "%(count)d message %(done)s", "%(count)d messages %(done)s", count
    ) % {"count": count, "done": done}


def _chosen(request: HttpRequest, folder: Folder) -> list[Message]:
    """The messages that were ticked, each with its conversation where lines show those."""
    rows = Message.objects.filter(folder=folder)
    chosen = rows.filter(pk__in=ticked(request))
    if request.POST.get("gathers"):
        threads = list(chosen.order_by().values_list("thread", flat=True))
        chosen = rows.filter(thread__in=threads)
    return list(chosen.select_related("folder", "mailbox")[:LIMIT])


def ticked(request: HttpRequest) -> list[int]:
    """The numbers of the messages that were ticked."""
    ids = [v for v in request.POST.getlist("message") if v.isascii() and v.isdigit()]
    return [int(v) for v in ids[:LIMIT] if len(v) < 19]


def mark(request: HttpRequest, chosen: list[Message], name: str) -> None:
    """Mark the messages as that button says."""
    words, change = MARKS[name]
    change(chosen)
    messages.success(request, counted(len(chosen), words))


def move(
    request: HttpRequest, chosen: list[Message], target: Folder, *, place: str
) -> None:
    """Move the messages, and offer at that place to take it back."""
    message_actions.move(chosen, target)
    undo_move.remember(request, chosen, target=target, place=place)
    messages.success(request, counted(len(chosen), f"moved to {target.name}"))


def _erase(chosen: list[Message], folder: Folder) -> str:
    if folder.role != FolderRole.TRASH:
        raise Http404
    message_actions.erase([message.pk for message in chosen])
    return counted(len(chosen), "deleted for good")


def _back(request: HttpRequest, folder: Folder) -> str:
    """The page of the folder that the button stood on, its order and choice kept."""
    view = view_of(folder, request.POST)
    numbers = {name: request.POST.get(name, "") for name in ("past", "page")}
    where = {name: value for name, value in numbers.items() if value.isdigit()}
    query = urlencode({**view.query, **where})
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


MARKS: dict[str, tuple[str, Mark]] = {
    "read": ("marked as read", _read),
    "unread": ("marked as unread", _unread),
    "flag": ("flagged", _flag),
    "unflag": ("no longer flagged", _unflag),
}
PLACES: dict[str, FolderRole] = {
    "archive": FolderRole.ARCHIVE,
    "delete": FolderRole.TRASH,
    "junk": FolderRole.JUNK,
    "inbox": FolderRole.INBOX,
}
