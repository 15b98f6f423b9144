"""Acts on selected messages of a search result, which may lie in several folders."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox import undo_move
from portal.webmail.mailbox.message_actions import (
    MARK_ACTIONS,
    MOVE_ACTIONS,
    SELECTION_LIMIT,
    mark,
    move,
    report_undo,
    selected_ids,
    target_folder,
)


@requires_mail
@require_POST
def act(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Performs one action on the selected messages of a search."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    name = request.POST.get("do", "")
    if name not in (*MARK_ACTIONS, *MOVE_ACTIONS, "move"):
        raise Http404
    found = Message.objects.filter(mailbox=access.mailbox, pk__in=selected_ids(request))
    chosen = list(found.select_related("folder")[:SELECTION_LIMIT])
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
    elif name in MARK_ACTIONS:
        mark(request, chosen, name)
    else:
        _move(
            request, chosen, target_folder(request, mailboxes, access, name), mailbox_id
        )
    return redirect(_back(request, mailbox_id))


@requires_mail
@require_POST
def undo_last_move(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Undoes the last move from this search."""
    access = accessible_mailboxes(request).writable(mailbox_id)
    place = reverse("webmail:search", args=[mailbox_id])
    count = undo_move.restore(request, access.mailbox, place=place)
    report_undo(request, count, "moved back")
    return redirect(_back(request, mailbox_id))


def _move(
    request: HttpRequest, chosen: list[Message], target: Folder, mailbox_id: int
) -> None:
    """Moves the messages that can be moved there: drafts only to Deleted."""
    is_trash = target.role == FolderRole.TRASH
    movable = [m for m in chosen if m.folder != target and (is_trash or not m.is_draft)]
    if movable:
        move(
            request, movable, target, place=reverse("webmail:search", args=[mailbox_id])
        )
    elif all(message.folder == target for message in chosen):
        messages.warning(
            request,
            f"Nothing was moved: the selected messages are already in {target.name}.",
        )
    else:
        messages.warning(
            request, "Nothing was moved: a draft can only be moved to Deleted."
        )


def _back(request: HttpRequest, mailbox_id: int) -> str:
    """Returns the URL of the search result that was acted on."""
    asked = {name: request.POST.get(name, "")[:1000] for name in ("q", "past")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('webmail:search', args=[mailbox_id])}?{query}"
