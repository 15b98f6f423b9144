"""Acts on the selected messages of any list: assigns them.

The buttons stand in the form of the list, and send it here by `formaction`.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.storage.models import Message
from engine.storage.organising import assignments
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox.message_actions import (
    SELECTION_LIMIT,
    count_phrase,
    selected_ids,
)
from portal.webmail.organising.group_work import choose_assignee

Action = Callable[[HttpRequest, AccessibleMailboxes, MailboxAccess, list[Message]], str]


@requires_mail
@require_POST
def act(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Performs one action on the selected messages, and returns to their list."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    action = ACTIONS.get(request.POST.get("organise", ""))
    if action is None:
        raise Http404
    chosen = _selected_messages(request, access)
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
        return redirect(back(request, access))
    try:
        messages.success(request, action(request, mailboxes, access, chosen))
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    return redirect(back(request, access))


def back(request: HttpRequest, access: MailboxAccess) -> str:
    """Returns the path of the list that was acted on, else of the mailbox."""
    place = request.POST.get("back", "")[:2000]
    is_ours = place.startswith(reverse("webmail:folder"))
    if is_ours and url_has_allowed_host_and_scheme(place, allowed_hosts=None):
        return place
    return reverse("webmail:mailbox", args=[access.mailbox.pk])


def _selected_messages(request: HttpRequest, access: MailboxAccess) -> list[Message]:
    """Returns the selected messages, with their conversations if rows show those."""
    rows = Message.objects.filter(mailbox=access.mailbox, pk__in=selected_ids(request))
    chosen = list(rows.select_related("folder")[:SELECTION_LIMIT])
    if not request.POST.get("gathers") or not chosen:
        return chosen
    whole = Message.objects.filter(
        folder__in={one.folder_id for one in chosen},
        thread__in={one.thread for one in chosen},
    )
    return list(whole.select_related("folder")[:SELECTION_LIMIT])


def _assign(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    if not access.is_group:
        raise Http404
    to = choose_assignee(request, mailboxes, access)
    count = assignments.assign(access.mailbox, chosen, to=to, by=mailboxes.person)
    return count_phrase(count, f"assigned to {to.name if to else 'nobody'}")


ACTIONS: dict[str, Action] = {"assign": _assign}
