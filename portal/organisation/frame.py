"""What all pages of an organisation have in common: guard, sections and lookup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from engine.registry.models import ApiKey, Organisation, Person, WebhookEndpoint
from engine.registry.permissions import REFUSAL, Permission, roles_held
from engine.registry.permissions.view_guards import (
    GuardedView,
    View,
    held_by_visitor,
    organisation_by_id,
    requires,
)
from portal.account_admin import policies
from portal.ui.visitor import signed_in_person


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an organisation's pages, and the permission to open it."""

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


def organisation_view(permission: Permission) -> Callable[[View], GuardedView]:
    """Guards a view by a permission in the organisation that the URL names.

    The view receives the organisation as its second argument. An unknown organisation is
    refused like someone else's, so that a refusal does not reveal which exist.
    """

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def with_organisation(
            request: HttpRequest, organisation_id: int, **kwargs: Any
        ) -> HttpResponseBase:
            organisation = organisation_by_id(request, organisation_id)
            return view(request, organisation, **kwargs)

        guard = requires(permission, organisation_from="organisation_id")
        return guard(with_organisation)

    return decorate


def administrator_view(view: View) -> GuardedView:
    """Guards a view for the organisation's own administrators, and not for staff.

    API keys read and send the organisation's mail, which staff may not.
    """

    @wraps(view)
    def guarded(
        request: HttpRequest, organisation: Organisation, **kwargs: Any
    ) -> HttpResponseBase:
        if not policies.administers(signed_in_person(request), organisation):
            raise PermissionDenied(REFUSAL)
        return view(request, organisation, **kwargs)

    return organisation_view(Permission.EDIT_ORGANISATION)(guarded)


def get_person(organisation: Organisation, person_id: int) -> Person:
    """Raises Http404 for a person of another organisation."""
    found = organisation.people.filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def organisation_of(row: Person | ApiKey | WebhookEndpoint) -> Organisation:
    """Returns the organisation of a row that was found in one.

    Raises Http404 for a row of the service itself, which no lookup here returns.
    """
    if row.organisation is None:
        raise Http404
    return row.organisation


def person_url(person: Person) -> str:
    """The URL of the person's page in their organisation."""
    return reverse("organisation:person", args=[person.organisation_id, person.pk])


def render_section(
    request: HttpRequest,
    organisation: Organisation,
    template: str,
    section: str,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Renders `organisation/<template>.html` with links to the permitted sections."""
    roles = roles_held.of_visitor(request, signed_in_person(request))
    held = held_by_visitor(request, organisation)
    is_own = roles.administers(organisation.pk)
    links = [
        {
            "text": one.label,
            "href": reverse(f"organisation:{one.name}", args=[organisation.pk]),
            "is_current": one.name == section,
        }
        for one in SECTIONS
        if one.permission in held and (one.name != "api" or is_own)
    ]
    return render(
        request,
        f"organisation/{template}.html",
        {**(context or {}), "organisation": organisation, "sections": links},
    )
