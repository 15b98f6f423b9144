"""The page of a folder: one page of its messages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from engine.storage import retention_periods
from portal.emergency_access import readings
from portal.webmail.access import (
    accessible_mailboxes,
    readable_mailboxes,
    reads_mail,
    requires_mail,
)
from portal.webmail.live import arrivals
from portal.webmail.mailbox import message_list, recall, sent_messages, undo_move
from portal.webmail.mailbox.list_options import (
    ListOptions,
    names_recipients,
    read_options,
    shows_conversations,
)
from portal.webmail.mailbox.message_list import MessagePage
from portal.webmail.organising import contexts
from portal.webmail.request_ids import query_id
from portal.webmail.sidebar import (
    COUNT_LIMIT,
    FolderLine,
    Sidebar,
    sidebar,
    sidebar_of_folder,
)

FILTER_LABELS = {
    "all": "All",
    "unread": "Unread",
    "flagged": "Flagged",
    "files": "With attachments",
    "large": "Over 1 MB",
}
GROUP_FILTER_LABELS = {**FILTER_LABELS, "mine": "Mine", "nobodys": "Nobody\u2019s"}


@reads_mail
@require_safe
def folder(request: HttpRequest, folder_id: int | None = None) -> HttpResponse:
    """Shows a folder; without an id, redirects to the Inbox of the default mailbox."""
    mailboxes = readable_mailboxes(request)
    if folder_id is None:
        access = mailboxes.first()
        if access is None:
            return render(request, "webmail/no_mailbox.html")
        return redirect("webmail:mailbox", mailbox_id=access.mailbox.pk)
    panel = sidebar_of_folder(mailboxes, folder_id)
    access, line = panel.access, panel.line_at(folder_id)
    current = line.folder
    readings.folder(access.emergency, current.name, by=mailboxes.person)
    context = _context(request, panel, line)
    context["undo"] = undo_move.offer(request)
    return render(request, "webmail/mailbox/folder.html", context)


@requires_mail
@require_safe
def live(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Renders the same page of a folder without its frame, for `live.js` to merge."""
    mailboxes = accessible_mailboxes(request)
    panel = sidebar_of_folder(mailboxes, folder_id)
    context = _context(request, panel, panel.line_at(folder_id))
    context["layout"] = "webmail/live/folder.html"
    context["arrived"] = arrivals.since(request, panel)
    return render(request, "webmail/mailbox/folder.html", context)


def _context(request: HttpRequest, panel: Sidebar, line: FolderLine) -> dict[str, Any]:
    access, current = panel.access, line.folder
    options = read_options(
        current,
        request.GET,
        conversations=shows_conversations(access.mailbox),
        reader_id=panel.mailboxes.person.pk,
    )
    page = _page(request, options)
    organised = contexts.of_folder(panel, current, page)
    messages = [row.message for row in organised["page"].rows]
    sent = messages if names_recipients(current) else []
    is_emergency = access.emergency is not None
    return {
        "sidebar": panel,
        "folder": current,
        "line": line,
        "targets": panel.targets(current),
        **organised,
        "place_link": f"?{urlencode(page.place)}" if page.place else "",
        "rows": message_list.with_previews(
            organised["page"].rows, panel.mailboxes, access
        ),
        **message_list.correspondents(messages, sent=sent),
        "deliveries": {} if is_emergency else sent_messages.deliveries_of(sent),
        "filters": GROUP_FILTER_LABELS if access.is_group else FILTER_LABELS,
        "total": min(line.total, COUNT_LIMIT),
        "is_more": line.total > COUNT_LIMIT,
        "kept_days": retention_periods.days(current),
        "withdrawn": None if is_emergency else recall.announcement(line),
    }


@reads_mail
@require_safe
def mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Redirects to the Inbox of a mailbox, or to its search where it has no folder."""
    mailboxes = readable_mailboxes(request)
    panel = sidebar(mailboxes, mailboxes.at(mailbox_id))
    if not panel.lines:
        # Under emergency access, of a mailbox that was never used: none is made.
        return redirect("webmail:search", mailbox_id=mailbox_id)
    return redirect("webmail:folder", folder_id=panel.inbox.pk)


def _page(request: HttpRequest, options: ListOptions) -> MessagePage:
    return message_list.load_page(
        options,
        past=query_id(request, "past"),
        back=query_id(request, "back"),
        number=min(query_id(request, "page") or 1, 10**6),
    )
