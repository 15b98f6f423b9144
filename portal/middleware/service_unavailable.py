"""Answers 503 while data cannot be read or written, and returns what was typed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.views.defaults import server_error

from engine.database import transient_errors
from engine.encryption.errors import UnreadableError
from portal.middleware import body_limit

UNREADABLE = (
    "This is stored encrypted and cannot be decrypted: it was changed in the store, or its "
    "key was destroyed. Ask the helpdesk."
)
# Fields that must be typed again: secrets are never written into a page.
_SECRETS = ("password", "code", "secret", "csrfmiddlewaretoken")
# Characters; a shorter value is quicker typed than copied.
_WORTH_SHOWING = 20


def answer(request: HttpRequest) -> HttpResponse:
    """The site's `handler500`, which Django calls while it handles the error."""
    error = sys.exc_info()[1]
    if isinstance(error, UnreadableError):
        return _unreadable(request)
    if not transient_errors.is_transient(error):
        return server_error(request)
    if request.path.startswith(body_limit.OWN_LIMITS):
        response: HttpResponse = JsonResponse(
            body_limit.problem(
                "unavailable",
                "Temporarily unavailable",
                HTTPStatus.SERVICE_UNAVAILABLE,
                transient_errors.MESSAGE,
            ),
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type=body_limit.PROBLEM_TYPE,
        )
    else:
        response = page(request)
    response["Retry-After"] = str(transient_errors.RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _unreadable(request: HttpRequest) -> HttpResponse:
    """Answers 500 for what was stored encrypted and cannot be decrypted."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if request.path.startswith(body_limit.OWN_LIMITS):
        problem = body_limit.problem(
            "fault", "A fault of the service", status, UNREADABLE
        )
        return JsonResponse(
            problem, status=status, content_type=body_limit.PROBLEM_TYPE
        )
    return HttpResponse(
        render_to_string("unreadable.html", {"text": UNREADABLE}), status=status
    )


def page(request: HttpRequest | None = None) -> HttpResponse:
    """Returns the page, with the submitted fields so that the form can be sent again."""
    fields = list(_fields(request)) if request is not None else []
    is_whole = bool(fields) and request is not None and _can_repeat(request)
    shown = [
        (name.replace("_", " ").replace("-", " ").capitalize(), value)
        for name, value in fields
        if len(value) >= _WORTH_SHOWING
    ]
    context = {
        "is_form": request is None or request.method == "POST",
        "fields": fields if is_whole else [],
        "shown": shown,
        "action": request.get_full_path() if request is not None else "",
        "token": get_token(request) if request is not None and is_whole else "",
    }
    # Without the request: the context of normal pages queries the database.
    text = render_to_string("503.html", context)
    return HttpResponse(text, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _fields(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if not _is_secret(name):
            yield from ((name, str(value)) for value in values)


def _can_repeat(request: HttpRequest) -> bool:
    """False with files or passwords: hidden fields cannot hold them."""
    secrets = {name for name in request.POST if _is_secret(name)}
    return not request.FILES and secrets <= {"csrfmiddlewaretoken"}


def _is_secret(name: str) -> bool:
    return any(secret in name.lower() for secret in _SECRETS)
