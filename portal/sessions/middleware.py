"""Keeps sessions alive, sets the known-browser cookie, and answers locked-out clients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from engine.registry.models import Person
from portal.sessions import known_browsers, store
from portal.sessions.sign_in_attempts import TooManyAttemptsError

TOO_MANY = 429
# Requests that pages make without the user: they must not keep an unattended session alive.
BACKGROUND_REQUESTS = {
    "wagtailadmin_editing_sessions:ping",
    "webmail:live_all_inboxes",
    "webmail:live_events",
    "webmail:live_folder",
    "webmail:live_label",
    "webmail:live_mailbox",
    "webmail:live_numbers",
    "webmail:live_search",
    "webmail:refresh_deliveries",
}


class PersonMiddleware(AuthenticationMiddleware):
    """Sets the signed-in person, who was loaded with the session.

    Django's own middleware loads them again, in a statement of its own.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Sets `request.user`, which is not looked for before it is needed."""
        super().process_request(request)
        visitor: Any = SimpleLazyObject(partial(_visitor, request))
        request.user = visitor


def _visitor(request: HttpRequest) -> Person | AnonymousUser:
    """Returns what `auth.get_user` does, which also decides wherever anything is amiss."""
    session = request.session
    signed_in, backend = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
    person = getattr(session, "person", None)
    if (
        isinstance(person, Person)
        and person.is_active
        and signed_in == str(person.pk)
        and backend in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash()
        )
    ):
        return person
    return auth.get_user(request)


class SessionMiddleware:
    """Extends a session that is used, and sets the known-browser cookie after a sign-in.

    Turns TooManyAttemptsError of any form into status 429 with Retry-After.
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
        if match is None or match.view_name in BACKGROUND_REQUESTS:
            return
        # Reading request.session would make public pages vary by cookie.
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
