from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from engine.storage.search import indexer
from engine.storage.search.find import Found, find
from engine.storage.search.query_parser import QueryError, parse
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.mailbox import message_list, undo_move
from portal.webmail.mailbox.folder_view import number_in
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.mailbox.message_list import Row
from portal.webmail.sidebar import sidebar

HINTS = {
    "from:jane": "from Jane, by name or address",
    "to:listing, cc:vera": "to or copied to somebody",
    "subject:bundle": "only in the subject",
    '"not before 10:00"': "these words side by side",
    "hear*": "words that begin so",
    "osei OR lindqvist": "one or the other",
    "-draft": "without this word",
    "has:attachment": "with files; filename:bundle by a file\u2019s name",
    "is:unread, is:flagged": "by how it is marked",
    'in:archive, in:"my cases"': "in one folder, or in:anywhere",
    "after:2026-11-01 before:2026-12-01": "by date",
    "larger:5M, smaller:100k": "by size",
}


@uses_mail
@require_safe
def search(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """What a mailbox holds about something."""
    desks = desks_of(request)
    desk = desks.at(mailbox_id)
    typed = request.GET.get("q", "").strip()
    found, complaint, is_complete = None, "", True
    if typed:
        try:
            query = parse(typed)
            is_complete = indexer.catch_up(desk.mailbox)
            found = find(query, desk.mailbox, before=number_in(request, "past"))
        except QueryError as refusal:
            complaint = str(refusal)
    beside = sidebar(desks, desk)
    messages = found.messages if found else []
    context = {
        "sidebar": beside,
        "targets": beside.targets(),
        "undo": undo_move.offer(request),
        "past": request.GET.get("past", ""),
        "desk": desk,
        "typed": typed,
        "found": found,
        "rows": [Row(message) for message in messages],
        **message_list.correspondents(
            messages, sent=[m for m in messages if names_recipients(m.folder)]
        ),
        "complaint": complaint,
        "is_complete": is_complete,
        "is_first": number_in(request, "past") is None,
        "next_query": _next(typed, found),
        "hints": HINTS,
    }
    return render(request, "webmail/mailbox/search.html", context)


def _next(typed: str, found: Found | None) -> str:
    if found is None or not found.has_older:
        return ""
    return urlencode({"q": typed, "past": str(found.messages[-1].pk)})
