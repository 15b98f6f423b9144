"""Acts on every message of a folder, after a confirmation page."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.storage import folder_actions
from engine.storage.models import Folder
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox import message_list, waiting_messages
from portal.webmail.mailbox.message_actions import (
    MOVE_ACTIONS,
    count_phrase,
    target_folder,
)
from portal.webmail.organising.archive import AGES
from portal.webmail.sidebar import sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def act_on_folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Shows how many messages the folder has; on POST, moves, marks or deletes all."""
    mailboxes = accessible_mailboxes(request)
    access, folder = mailboxes.writable_folder(folder_id)
    if request.method == "POST":
        try:
            messages.success(request, _perform(request, mailboxes, access, folder))
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
        return redirect("webmail:folder", folder_id=folder.pk)
    total = message_list.count(folder)
    panel = sidebar(mailboxes, access)
    context = {
        "sidebar": panel,
        "folder": folder,
        "targets": panel.targets(folder),
        "ages": AGES,
        "total": min(total, message_list.COUNT_LIMIT),
        "is_more": total > message_list.COUNT_LIMIT,
    }
    return render(request, "webmail/mailbox/folder_bulk_actions.html", context)


def _perform(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    folder: Folder,
) -> str:
    name = request.POST.get("do", "")
    if name == "read":
        return count_phrase(folder_actions.mark_all_read(folder), "marked as read")
    if name == "empty":
        waiting_messages.check_all_have_left(folder)
        return count_phrase(folder_actions.empty(folder), "deleted for good")
    if name not in (*MOVE_ACTIONS, "move"):
        raise Http404
    target = target_folder(request, mailboxes, access, name)
    if target.is_waste:
        waiting_messages.check_all_have_left(folder)
    return count_phrase(
        folder_actions.move_all(folder, target), f"moved to {target.name}"
    )
