"""What is done to messages that a search found, whichever folders they lie in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.mailbox import undo_move
from portal.webmail.mailbox.message_actions import (
    LIMIT,
    MARKS,
    PLACES,
    mark,
    move,
    target_of,
    tell_taken_back,
    ticked,
)


@uses_mail
@require_POST
def act(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Do one thing to the chosen messages of a search."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    name = request.POST.get("do", "")
    if name not in (*MARKS, *PLACES, "move"):
        raise Http404
    found = Message.objects.filter(mailbox=desk.mailbox, pk__in=ticked(request))
    chosen = list(found.select_related("folder")[:LIMIT])
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
    elif name in MARKS:
        mark(request, chosen, name)
    else:
        _move(request, chosen, target_of(request, desks, desk, name), mailbox_id)
    return redirect(_back(request, mailbox_id))


@uses_mail
@require_POST
def take_back(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Undo the last move out of what was found."""
    desk = desks_of(request).writable(mailbox_id)
    place = reverse("webmail:search", args=[mailbox_id])
    count = undo_move.take_back(request, desk.mailbox, place=place)
    tell_taken_back(request, count, "put back")
    return redirect(_back(request, mailbox_id))


def _move(
    request: HttpRequest, chosen: list[Message], target: Folder, mailbox_id: int
) -> None:
    """Move what can go there: a draft goes nowhere but to Deleted."""
    is_trash = target.role == FolderRole.TRASH
    going = [m for m in chosen if m.folder != target and (is_trash or not m.is_draft)]
    if going:
        move(request, going, target, place=reverse("webmail:search", args=[mailbox_id]))
    elif all(message.folder == target for message in chosen):
        messages.warning(request, f"Nothing was moved: it is in {target.name} already.")
    else:
        messages.warning(request, "Nothing was moved: a draft stays in its folder.")


def _back(request: HttpRequest, mailbox_id: int) -> str:
    """The page of the search that the button stood on."""
    asked = {name: request.POST.get(name, "")[:1000] for name in ("q", "past")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('webmail:search', args=[mailbox_id])}?{query}"
