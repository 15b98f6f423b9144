"""One list of the inboxes of all mailboxes that a person reads."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from engine.registry.errors import PolicyError
from engine.storage.models import Folder, FolderRole, Message
from engine.storage.organising import merged_lists
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.live import arrivals
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.message_actions import (
    MARK_ACTIONS,
    MOVE_ACTIONS,
    SELECTION_LIMIT,
    selected_ids,
)
from portal.webmail.mailbox.message_list import PAGE_SIZE, MessageRow
from portal.webmail.organising.bulk_actions import perform
from portal.webmail.request_ids import parse_id, query_id
from portal.webmail.sidebar import sidebar


@requires_mail
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Lists the newest messages of all inboxes, with the name of each mailbox."""
    mailboxes = accessible_mailboxes(request)
    first = mailboxes.first()
    if first is None:
        return render(request, "webmail/no_mailbox.html")
    context = _context(request, mailboxes, first)
    return render(request, "webmail/organising/all_inboxes.html", context)


@requires_mail
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Renders the same list without its frame, for `live.js` to merge."""
    mailboxes = accessible_mailboxes(request)
    first = mailboxes.first()
    if first is None:
        return HttpResponse(status=204)
    context = _context(request, mailboxes, first)
    context["layout"] = "webmail/live/folder.html"
    context["arrived"] = arrivals.in_folders(request, context["inboxes"])
    return render(request, "webmail/organising/all_inboxes.html", context)


def _context(
    request: HttpRequest, mailboxes: AccessibleMailboxes, first: MailboxAccess
) -> dict[str, Any]:
    past = query_id(request, "past")
    names = {one.mailbox.pk: one.mailbox.name for one in mailboxes.readable}
    inboxes = Folder.objects.filter(mailbox__in=names, role=FolderRole.INBOX)
    ids = list(inboxes.order_by("pk").values_list("pk", flat=True))
    found = merged_lists.newest(ids, before=past, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    for mailbox_id in {one.mailbox_id for one in shown}:
        mailboxes.at(mailbox_id)  # records that they opened it
    newest = merged_lists.newest(ids, before=None, limit=1) if past else shown
    return {
        "sidebar": sidebar(mailboxes, first),
        "inboxes": ids,
        "live_since": newest[0].pk if newest else 0,
        "live_also": " ".join(
            f"{one.mailbox.pk}:{one.mailbox.change_number}"
            for one in mailboxes.readable
        ),
        "place": "all_inboxes",
        "rows": [MessageRow(message) for message in shown],
        "mailbox_names": names,
        "left_out": max(0, len(ids) - merged_lists.FOLDERS_LIMIT),
        **message_list.correspondents(shown, sent=[]),
        "past": past or "",
        "next": shown[-1].pk if len(found) > PAGE_SIZE else None,
    }


@requires_mail
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Acts on the selected messages, each in its mailbox, by the rights that it gives.

    Changes nothing where one of them is in a mailbox that the person may only read.
    """
    mailboxes = accessible_mailboxes(request)
    name = request.POST.get("do", "")
    if name not in (*MARK_ACTIONS, *MOVE_ACTIONS):
        raise Http404
    by_mailbox = _selected_messages(request, mailboxes)
    if not by_mailbox:
        messages.warning(request, "Choose at least one message first.")
    try:
        for mailbox_id in by_mailbox:
            mailboxes.writable(mailbox_id)
    except PermissionDenied:
        messages.warning(
            request,
            "Nothing was changed: you may only read one of the mailboxes that you chose "
            "messages of.",
        )
        by_mailbox = {}
    for mailbox_id, chosen in by_mailbox.items():
        mailbox = mailboxes.writable(mailbox_id).mailbox.name
        try:
            messages.success(request, f"{mailbox}: {perform(name, chosen)}")
        except PolicyError as refusal:
            messages.warning(request, f"{mailbox}: nothing was moved. {refusal}")
    past = parse_id(request.POST.get("past", ""))
    place = reverse("webmail:all_inboxes")
    return redirect(f"{place}?past={past}" if past else place)


def _selected_messages(
    request: HttpRequest, mailboxes: AccessibleMailboxes
) -> dict[int, list[Message]]:
    readable = [one.mailbox.pk for one in mailboxes.readable]
    rows = Message.objects.filter(pk__in=selected_ids(request), mailbox__in=readable)
    by_mailbox: dict[int, list[Message]] = {}
    for message in rows.select_related("folder", "mailbox")[:SELECTION_LIMIT]:
        by_mailbox.setdefault(message.mailbox_id, []).append(message)
    return by_mailbox
