"""The search page of a mailbox."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from engine.storage.search import gaps, indexer
from engine.storage.search.find import Found, find
from engine.storage.search.query_parser import QueryError, parse
from portal.emergency_access import readings
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    readable_mailboxes,
    reads_mail,
    requires_mail,
)
from portal.webmail.live import arrivals
from portal.webmail.mailbox import message_list, sent_messages, undo_move
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.mailbox.message_list import MessageRow
from portal.webmail.organising import contexts
from portal.webmail.request_ids import query_id
from portal.webmail.sidebar import sidebar

GAPS_LISTED = 50
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
    'label:urgent, label:"crown court"': "with a label",
    "after:2026-11-01 before:2026-12-01": "by date",
    "larger:5M, smaller:100k": "by size",
}


@reads_mail
@require_safe
def search(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Searches a mailbox and lists the messages found, newest first."""
    mailboxes = readable_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    typed = request.GET.get("q", "").strip()
    readings.search(access.emergency, typed, by=mailboxes.person)
    context = _context(request, mailboxes, access, typed)
    context["undo"] = undo_move.offer(request)
    return render(request, "webmail/mailbox/search.html", context)


@requires_mail
@require_safe
def live(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Renders the same results without their frame, for `live.js` to merge."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    typed = request.GET.get("q", "").strip()
    context = _context(request, mailboxes, access, typed)
    context["layout"] = "webmail/live/folder.html"
    context["arrived"] = arrivals.since(request, context["sidebar"])
    return render(request, "webmail/mailbox/search.html", context)


def _context(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    typed: str,
) -> dict[str, Any]:
    found, search_error, waiting = None, "", 0
    panel = sidebar(mailboxes, access)
    if typed:
        try:
            query = parse(typed)
            if query.clauses:
                waiting = indexer.catch_up(access.mailbox)
            found = find(
                query,
                access.mailbox,
                before=query_id(request, "past"),
                folders=[line.folder for line in panel.lines],
            )
        except QueryError as refusal:
            search_error = str(refusal)
    messages = found.messages if found else []
    sent = [m for m in messages if names_recipients(m.folder)]
    place_link = _place_link(request, typed)
    return {
        "sidebar": panel,
        "targets": panel.targets(),
        "back_to": reverse("webmail:search", args=[access.mailbox.pk]) + place_link,
        "past": request.GET.get("past", ""),
        "access": access,
        "typed": typed,
        "place_link": place_link,
        "found": found,
        "rows": message_list.with_previews(
            [MessageRow(message) for message in messages], mailboxes, access
        ),
        **message_list.correspondents(messages, sent=sent),
        "deliveries": {} if access.emergency else sent_messages.deliveries_of(sent),
        **contexts.of_list(panel, messages),
        "search_error": search_error,
        "waiting": waiting,
        "gaps": 0 if access.emergency else gaps.count(access.mailbox),
        "is_first": query_id(request, "past") is None,
        "next_query": _next(typed, found),
        "hints": HINTS,
    }


@requires_mail
@require_safe
def not_whole(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists the messages that search does not find by all of their words, and why."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    past = query_id(request, "past")
    found = gaps.page(access.mailbox, before=past, limit=GAPS_LISTED + 1)
    shown = found[:GAPS_LISTED]
    messages = [gap.message for gap in shown]
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "gaps": shown,
        **message_list.correspondents(
            messages, sent=[m for m in messages if names_recipients(m.folder)]
        ),
        "count": gaps.count(access.mailbox),
        "is_first": past is None,
        "next": shown[-1].message.pk if len(found) > GAPS_LISTED else None,
    }
    return render(request, "webmail/mailbox/not_searched_whole.html", context)


def _place_link(request: HttpRequest, typed: str) -> str:
    past = query_id(request, "past")
    return "?" + urlencode({"q": typed} | ({"past": past} if past else {}))


def _next(typed: str, found: Found | None) -> str:
    if found is None or not found.has_older:
        return ""
    return urlencode({"q": typed, "past": str(found.messages[-1].pk)})
