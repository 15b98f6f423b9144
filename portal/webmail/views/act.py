from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from engine.registry.access import signed_in
from engine.storage import actions
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import Desks, desks_of
from portal.webmail.sidebar import sidebar

Act = Callable[[list[Message], Folder | None], str]


@signed_in
@require_POST
def act(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Do one thing to the chosen messages of a folder."""
    desks = desks_of(request)
    desk, folder = desks.folder(folder_id)
    if not desk.can_write:
        raise PermissionDenied("You may read this mailbox, but not change it.")
    name = request.POST.get("do", "")
    if name not in ACTS:
        raise Http404
    chosen = _chosen(request, folder)
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
    elif name == "delete" and folder.role == FolderRole.TRASH:
        context = {"sidebar": sidebar(desks, desk), "folder": folder, "chosen": chosen}
        return render(request, "webmail/confirm_delete.html", context)
    else:
        target = _target(request, desks, folder) if name == "move" else None
        messages.success(request, ACTS[name](chosen, target))
    return redirect("webmail:folder", folder_id=folder.pk)


def _chosen(request: HttpRequest, folder: Folder) -> list[Message]:
    ids = [v for v in request.POST.getlist("message") if v.isascii() and v.isdigit()]
    rows = Message.objects.filter(folder=folder, pk__in=ids[:1000])
    return list(rows.select_related("folder", "mailbox"))


def _target(request: HttpRequest, desks: Desks, folder: Folder) -> Folder:
    value = request.POST.get("target", "")
    if not (value.isascii() and value.isdigit()):
        raise Http404
    _, target = desks.folder(int(value))
    if target.mailbox_id != folder.mailbox_id:
        raise Http404
    return target


def _read(chosen: list[Message], _: Folder | None) -> str:
    actions.mark_read(chosen, is_read=True)
    return _counted(chosen, "marked as read")


def _unread(chosen: list[Message], _: Folder | None) -> str:
    actions.mark_read(chosen, is_read=False)
    return _counted(chosen, "marked as unread")


def _move(chosen: list[Message], target: Folder | None) -> str:
    if target is None:
        raise Http404
    actions.move(chosen, target)
    return _counted(chosen, f"moved to {target.name}")


def _delete(chosen: list[Message], _: Folder | None) -> str:
    actions.delete(chosen)
    return _counted(chosen, "moved to Deleted")


def _erase(chosen: list[Message], _: Folder | None) -> str:
    if any(message.folder.role != FolderRole.TRASH for message in chosen):
        raise Http404
    actions.delete(chosen)
    return _counted(chosen, "deleted for good")


def _counted(chosen: list[Message], done: str) -> str:
    count = len(chosen)
    return ngettext(
        "%(count)d message %(done)s", "%(count)d messages %(done)s", count
    ) % {
        "count": count,
        "done": done,
    }


ACTS: dict[str, Act] = {
    "read": _read,
    "unread": _unread,
    "move": _move,
    "delete": _delete,
    "erase": _erase,
}
