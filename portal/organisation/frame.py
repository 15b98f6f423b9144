"""Which organisation a page is about, who may see it, and the way to its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from engine.registry import permissions
from engine.registry.models import Organisation, Person
from engine.registry.permissions import REFUSAL, Permission
from engine.registry.permissions.view_guards import GuardedView, View, requires
from portal.account_admin import policies


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an organisation's pages, and what one must hold to enter it."""

    name: str
    label: Any
    permission: Permission


SECTIONS = (
    Section("show", _("Overview"), Permission.EDIT_ORGANISATION),
    Section("people", _("People"), Permission.MANAGE_PEOPLE),
    Section("mailboxes", _("Group mailboxes"), Permission.MANAGE_MAILBOXES),
    Section("lists", _("Distribution lists"), Permission.MANAGE_LISTS),
    Section("addresses", _("Addresses"), Permission.EDIT_ORGANISATION),
    Section("connections", _("Connection"), Permission.MANAGE_CONNECTIONS),
    Section("trace", _("Message trace"), Permission.TRACE_MESSAGES),
    Section("api", _("API"), Permission.EDIT_ORGANISATION),
    Section("settings", _("Settings"), Permission.EDIT_ORGANISATION),
    Section("history", _("History"), Permission.VIEW_AUDIT),
)


def within(
    permission: Permission,
) -> Callable[[View], GuardedView]:
    """Let those reach the view who hold the permission in the organisation of the URL.

    The view gets the organisation itself. One that does not exist is refused like one
    that is not theirs.
    """

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def placed(
            request: HttpRequest, organisation_id: int, **kwargs: Any
        ) -> HttpResponseBase:
            organisation = Organisation.objects.get(pk=organisation_id)
            return view(request, organisation, **kwargs)

        return requires(permission, organisation_from="organisation_id")(placed)

    return decorate


def visitor(request: HttpRequest) -> Person:
    """Who asks: behind `within` it is always a person."""
    return cast(Person, request.user)


def person_in(organisation: Organisation, person_id: int) -> Person:
    """Raises Http404 for somebody who is not in the organisation."""
    found = organisation.people.filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def changeable_person(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> Person:
    """The same, where the visitor may change them. Raises PermissionDenied for staff."""
    person = person_in(organisation, person_id)
    if not policies.may_change(person, by=visitor(request)):
        raise PermissionDenied(REFUSAL)
    return person


def show(
    request: HttpRequest,
    organisation: Organisation,
    template: str,
    section: str,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Render `organisation/<template>.html` with the way to the other sections."""
    held = permissions.held_by(visitor(request), organisation=organisation)
    is_own = policies.administers(visitor(request), organisation)
    links = [
        {
            "text": part.label,
            "href": reverse(f"organisation:{part.name}", args=[organisation.pk]),
            "is_current": part.name == section,
        }
        for part in SECTIONS
        if part.permission in held and (part.name != "api" or is_own)
    ]
    return render(
        request,
        f"organisation/{template}.html",
        {**(context or {}), "organisation": organisation, "sections": links},
    )
