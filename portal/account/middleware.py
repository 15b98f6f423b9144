"""Middleware that enforces the second factor, hides the console and explains locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.credentials import account_recovery
from engine.registry.models import OrganisationRole, Person, Recovery, RoleName
from engine.registry.permissions import Permission, roles_held
from portal.account.backends import RoleBackend
from portal.account.second_factor import policies
from portal.ui import navigation

SIGN_OUT = "account_logout"
ACCESS = "wagtailadmin.access_admin"
# Views for a person who needs a second factor and has none yet …
SET_UP = {
    SIGN_OUT,
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
}
# … and for one who has a second factor but did not sign in with it.
PROVE = {SIGN_OUT, "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


class SecondFactorMiddleware:
    """Redirects people who need a second factor until this session has shown it.

    As middleware it covers every view, Wagtail's included, and every way to sign in.
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
        # A person who needs no second factor may have removed theirs.
        roles = roles_held.of_visitor(request, person)
        if not policies.needs_second_factor(person, roles=roles):
            return None
        has_one = policies.has_second_factor(person)
        match = request.resolver_match
        if match and match.view_name in (PROVE if has_one else SET_UP):
            return None
        return redirect("mfa_reauthenticate" if has_one else "mfa_index")


def _was_shown(request: HttpRequest, person: Person) -> bool:
    """Returns whether this session was opened or confirmed with a second factor."""
    records = get_authentication_records(request, person)
    return any(record.get("method") == "mfa" for record in records)


class StaffAddressesMiddleware:
    """Answers members with 404 at every address of the console.

    Wagtail's own views would redirect them in circles or show a page of their own, and
    some check no permission. A visitor who is not signed in is sent to the sign-in page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> None:
        if not request.path.startswith(navigation.ADMIN):
            return
        person = request.user
        # No extra query: the backend caches the answer, and Wagtail asks again.
        if isinstance(person, Person) and not (
            person.is_superuser or RoleBackend().has_perm(person, ACCESS)
        ):
            raise Http404


class ShutMailMiddleware:
    """Explains on every page that needs mail why the mailbox is locked after a recovery.

    The permission check refuses anyway; this answers first, with the reason.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        access = getattr(view, "access", None)
        person = request.user
        if access is None or access.permission is not Permission.USE_MAIL:
            return None
        if not isinstance(person, Person) or not person.is_mail_shut:
            return None
        shutting = account_recovery.shutting_recovery(person)
        context = {
            "shutting": shutting,
            "hours": account_recovery.shut_duration().total_seconds() // 3600,
            "administrators": _who_can_open(person, shutting),
        }
        page = render(request, "account/mailbox_locked.html", context, status=403)
        return page


def _who_can_open(person: Person, shutting: Recovery | None) -> list[str]:
    """Returns the administrators who can unlock it, without owner and recoverer."""
    roles = OrganisationRole.objects.filter(
        organisation=person.organisation_id,
        role=RoleName.ADMINISTRATOR,
        person__is_active=True,
    ).exclude(person=person)
    if shutting is not None and shutting.caused_by is not None:
        roles = roles.exclude(person=shutting.caused_by)
    found = roles.values_list("person__name", "person__address")
    return [f"{name} ({address})" for name, address in sorted(found)]
