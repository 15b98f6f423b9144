"""The search page of a mailbox."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from engine.storage.search import indexer
from engine.storage.search.find import Found, find
from engine.storage.search.query_parser import QueryError, parse
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox import message_list, undo_move
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.mailbox.message_list import MessageRow
from portal.webmail.request_ids import query_id
from portal.webmail.sidebar import sidebar

HINTS = {
    "from:jane": "from Jane, by name or address",
    "to:listing, cc:vera": "sent or copied to this person",
    "subject:bundle": "only in the subject",
    '"not before 10:00"': "these words side by side",
    "hear*": "words that begin like this",
    "osei OR lindqvist": "one or the other",
    "-draft": "without this word",
    "has:attachment": "with files; filename:bundle by a file\u2019s name",
    "is:unread, is:flagged": "by how it is marked",
    'in:archive, in:"my cases"': "in one folder, or in:anywhere",
    "after:2026-11-01 before:2026-12-01": "by date",
    "larger:5M, smaller:100k": "by size",
}


@requires_mail
@require_safe
def search(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Searches a mailbox and lists the messages found, newest first."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    typed = request.GET.get("q", "").strip()
    found, search_error, is_complete = None, "", True
    if typed:
        try:
            query = parse(typed)
            is_complete = indexer.catch_up(access.mailbox)
            found = find(query, access.mailbox, before=query_id(request, "past"))
        except QueryError as refusal:
            search_error = str(refusal)
    panel = sidebar(mailboxes, access)
    messages = found.messages if found else []
    context = {
        "sidebar": panel,
        "targets": panel.targets(),
        "undo": undo_move.offer(request),
        "past": request.GET.get("past", ""),
        "access": access,
        "typed": typed,
        "found": found,
        "rows": [MessageRow(message) for message in messages],
        **message_list.correspondents(
            messages, sent=[m for m in messages if names_recipients(m.folder)]
        ),
        "search_error": search_error,
        "is_complete": is_complete,
        "is_first": query_id(request, "past") is None,
        "next_query": _next(typed, found),
        "hints": HINTS,
    }
    return render(request, "webmail/mailbox/search.html", context)


def _next(typed: str, found: Found | None) -> str:
    if found is None or not found.has_older:
        return ""
    return urlencode({"q": typed, "past": str(found.messages[-1].pk)})
