"""What all pages about an organisation have in common: tabs, breadcrumbs and lookup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff
from portal.console.page import Page, Section, Tab, render_page

ICON = "group"
ABOVE = (("members:organisations", "Organisations"),)


@dataclass(frozen=True, slots=True)
class OrganisationTab:
    """One tab of an organisation's page, and the permission to open it."""

    name: str
    label: str
    permission: Permission


TABS = (
    OrganisationTab("organisation", "Overview", Permission.VIEW_ORGANISATION),
    OrganisationTab("organisation_people", "People", Permission.VIEW_ORGANISATION),
    OrganisationTab("domains", "Domains", Permission.VIEW_ORGANISATION),
    OrganisationTab("connections", "Connections", Permission.VIEW_ORGANISATION),
    OrganisationTab("mailboxes", "Mailboxes", Permission.VIEW_ORGANISATION),
    OrganisationTab("lists", "Lists", Permission.VIEW_ORGANISATION),
    OrganisationTab("organisation_tickets", "Tickets", Permission.VIEW_TICKETS),
    OrganisationTab(
        "organisation_applications", "Applications", Permission.VIEW_APPLICATIONS
    ),
    OrganisationTab("organisation_trace", "Trace", Permission.TRACE_MESSAGES),
    OrganisationTab("organisation_audit", "Audit", Permission.VIEW_AUDIT),
)


def render_tab(
    request: HttpRequest,
    organisation: Organisation,
    tab: str,
    sections: Sequence[Section],
    *,
    title: str = "",
    filters: forms.Form | None = None,
    links: dict[str, Any] | None = None,
) -> HttpResponse:
    """Draws a page under the organisation's tabs, by default under its name."""
    page = Page(
        title or organisation.name,
        ICON,
        sections,
        above=ABOVE,
        tabs=_tabs(request, organisation, tab),
        filters=filters,
        links=links or {},
    )
    return render_page(request, page)


def _tabs(request: HttpRequest, organisation: Organisation, current: str) -> list[Tab]:
    held = held_as_staff(request.user)
    return [
        Tab(tab.label, member_url(tab.name, organisation.pk), tab.name == current)
        for tab in TABS
        if tab.permission in held
    ]


def member_url(name: str, *keys: int) -> str:
    """The URL of a console page about organisations and people."""
    return reverse(f"members:{name}", args=keys)


def get_organisation(pk: int) -> Organisation:
    """Raises Http404."""
    return get_object_or_404(Organisation.objects.select_related("parent"), pk=pk)
