from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.registry.models import Person
from portal.sessions import known_browsers, store
from portal.sessions.sign_in_attempts import TooManyAttemptsError

TOO_MANY = 429
# What pages ask for by themselves, which must not keep a session alive that nobody uses.
ASKED_BY_PAGES = {"wagtailadmin_editing_sessions:ping"}


class SessionMiddleware:
    """Keeps a session alive while it is used, and makes the browser known by a cookie.

    Answers for every form that takes a password or a code when too many have failed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        known_browsers.write(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> None:
        match = request.resolver_match
        if match is None or match.view_name in ASKED_BY_PAGES:
            return
        # Without the cookie there is no session, and no page varies by one.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        if SESSION_KEY in request.session and isinstance(request.user, Person):
            store.keep(request, request.user)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not isinstance(exception, TooManyAttemptsError):
            return None
        context = {"until": exception.until, "minutes": -(-exception.seconds // 60)}
        response = render(request, "429.html", context, status=TOO_MANY)
        response["Retry-After"] = str(exception.seconds)
        return response
