from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from engine.storage import retention_periods
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.mailbox import message_list, undo_move
from portal.webmail.mailbox.list_options import View, names_recipients, view_of
from portal.webmail.mailbox.message_list import Page
from portal.webmail.sidebar import sidebar

SHOWS = {"all": "All", "unread": "Unread", "flagged": "Flagged"}


@uses_mail
@require_safe
def folder(request: HttpRequest, folder_id: int | None = None) -> HttpResponse:
    """A folder's messages; without an id, the inbox where the person starts."""
    desks = desks_of(request)
    if folder_id is None:
        desk = desks.first()
        if desk is None:
            return render(request, "webmail/no_mailbox.html")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    desk, opened = desks.folder(folder_id)
    beside = sidebar(desks, desk)
    total = message_list.count(opened)
    page = _page(request, view_of(opened, request.GET))
    messages = [row.message for row in page.rows]
    sent = messages if names_recipients(opened) else []
    return render(
        request,
        "webmail/mailbox/folder.html",
        {
            "sidebar": beside,
            "folder": opened,
            "line": beside.line_of(opened),
            "targets": beside.targets(opened),
            "page": page,
            **message_list.correspondents(messages, sent=sent),
            "shows": SHOWS,
            "total": min(total, message_list.COUNT_LIMIT),
            "is_more": total > message_list.COUNT_LIMIT,
            "kept_days": retention_periods.days(opened),
            "undo": undo_move.offer(request),
        },
    )


@uses_mail
@require_safe
def mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The inbox of one of the person's mailboxes."""
    desks = desks_of(request)
    beside = sidebar(desks, desks.at(mailbox_id))
    return redirect("webmail:folder", folder_id=beside.inbox.pk)


def _page(request: HttpRequest, view: View) -> Page:
    return message_list.page_of(
        view,
        past=number_in(request, "past"),
        back=number_in(request, "back"),
        number=min(number_in(request, "page") or 1, 10**6),
    )


def number_in(request: HttpRequest, name: str) -> int | None:
    """A number out of the address; None for anything else."""
    value = request.GET.get(name, "")
    return (
        int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    )
