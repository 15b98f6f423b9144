from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.storage import folder_actions
from engine.storage.models import Folder
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.message_actions import PLACES, counted, target_of
from portal.webmail.sidebar import sidebar


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def whole(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Everything in a folder: say how much it is and ask, then do it."""
    desks = desks_of(request)
    desk, folder = desks.writable_folder(folder_id)
    if request.method == "POST":
        try:
            messages.success(request, _done(request, desks, desk, folder))
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
        return redirect("webmail:folder", folder_id=folder.pk)
    total = message_list.count(folder)
    beside = sidebar(desks, desk)
    context = {
        "sidebar": beside,
        "folder": folder,
        "targets": beside.targets(folder),
        "total": min(total, message_list.COUNT_LIMIT),
        "is_more": total > message_list.COUNT_LIMIT,
    }
    return render(request, "webmail/mailbox/folder_bulk_actions.html", context)


def _done(request: HttpRequest, desks: Desks, desk: Desk, folder: Folder) -> str:
    name = request.POST.get("do", "")
    if name == "read":
        return counted(folder_actions.mark_all_read(folder), "marked as read")
    if name == "empty":
        return counted(folder_actions.empty(folder), "deleted for good")
    if name not in (*PLACES, "move"):
        raise Http404
    target = target_of(request, desks, desk, name)
    return counted(folder_actions.move_all(folder, target), f"moved to {target.name}")
