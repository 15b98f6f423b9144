"""Limits request bodies by their Content-Length, before anything is read."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

STRANGERS = 100_000  # octets: a text form, from visitors who are not signed in
# Programs authenticate by a header, and have limits of their own.
OWN_LIMITS = ("/api/",)
# Where members add files that are sent as links.
LINKED_FILES = re.compile(r"/mail/mailboxes/[0-9]+/write/[0-9a-f-]{36}/links/(?:add/)?")
# Recognises programs by that header; filled by the API, which this room may not import.
recognise_programs: list[Callable[[HttpRequest], bool]] = []
# RFC 9457, like all other errors of the API.
PROBLEM_TYPE = "application/problem+json"
PROBLEM_TYPES = "/api/problems#"


def problem(kind: str, title: str, status: int, detail: str) -> dict[str, object]:
    """Returns problem details of a type that the API's page explains."""
    uri = f"{settings.POSTERN.site_url}{PROBLEM_TYPES}{kind}"
    return {"type": uri, "title": title, "status": status, "detail": detail}


class BodyLimitMiddleware:
    """Refuses a body that is too large by its Content-Length, before it is parsed.

    The server reads bodies before Django sees the request (`portal.serving.asgi_handler`). A body
    that `may_send` forbids it leaves unread, and this middleware refuses it. A body
    without a length is not read at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _length(request) > _most(request):
            return _refusal(request)
        return self.get_response(request)


def may_send(request: HttpRequest) -> bool:
    """Returns whether to read a body of a size that only members and programs may send.

    For a request that no middleware has processed. Reads the database.
    """
    if _length(request) > _of_members(request):
        return False
    if request.path.startswith(OWN_LIMITS):
        return any(is_known(request) for is_known in recognise_programs)
    SessionMiddleware(_no_page).process_request(request)
    return get_user(request).is_authenticated


def _no_page(request: HttpRequest) -> HttpResponse:
    raise LookupError("No page has been requested yet.")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _most(request: HttpRequest) -> int:
    if request.path.startswith(OWN_LIMITS):
        return _of_members(request)
    # Only a body too large for a stranger needs to know who sends it: that is a query.
    if _length(request) <= STRANGERS:
        return STRANGERS
    return _of_members(request) if request.user.is_authenticated else STRANGERS


def _of_members(request: HttpRequest) -> int:
    """Room for the largest message as a form sends its files.

    Where files are added that are sent as links, room for the largest of those.
    """
    limit: int = settings.POSTERN.message_size_limit
    if LINKED_FILES.fullmatch(request.path):
        limit = max(limit, settings.POSTERN.linked_file_limit)
    return limit + limit // 4


def _refusal(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(OWN_LIMITS):
        title = "The request is too large"
        shown = problem("too-large", title, 413, f"{title}. Send a smaller one.")
        return JsonResponse(shown, status=413, content_type=PROBLEM_TYPE)
    return render(request, "413.html", status=413)
