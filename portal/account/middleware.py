from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.registry.models import Person
from portal.account import policies

SIGN_OUT = "account_logout"
# Open to somebody who must have a second factor and has none yet …
SET_UP = {
    SIGN_OUT,
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
}
# … and to somebody who has one but did not sign in with it.
PROVE = {SIGN_OUT, "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


class SecondFactorMiddleware:
    """Keeps those who need a second factor outside until this session has shown it.

    It stands before every view, Wagtail's included, whatever way somebody came in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        person = request.user
        if not isinstance(person, Person):
            return None
        if _was_shown(request, person) and policies.has_second_factor(person):
            return None
        # Who removed their own, and needs none, goes on with a password alone.
        if not policies.needs_second_factor(person):
            return None
        has_one = policies.has_second_factor(person)
        match = request.resolver_match
        if match and match.view_name in (PROVE if has_one else SET_UP):
            return None
        return redirect("mfa_reauthenticate" if has_one else "mfa_index")


def _was_shown(request: HttpRequest, person: Person) -> bool:
    """True where this session was opened, or confirmed since, with a second factor."""
    records = get_authentication_records(request, person)
    return any(record.get("method") == "mfa" for record in records)
