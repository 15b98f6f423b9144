"""Where a page about an organisation stands: its tabs, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff
from portal.console.sheet import Tab

ICON = "group"
PERSON_ICON = "user"
ABOVE = (("members:organisations", "Organisations"),)
PEOPLE_ABOVE = (("members:people", "People"),)


@dataclass(frozen=True, slots=True)
class Part:
    """One tab of an organisation's page, and what one must hold to open it."""

    name: str
    label: str
    permission: Permission


PARTS = (
    Part("organisation", "Overview", Permission.VIEW_ORGANISATION),
    Part("organisation_people", "People", Permission.VIEW_ORGANISATION),
    Part("domains", "Domains", Permission.VIEW_ORGANISATION),
    Part("connections", "Connections", Permission.VIEW_ORGANISATION),
    Part("mailboxes", "Mailboxes", Permission.VIEW_ORGANISATION),
    Part("lists", "Lists", Permission.VIEW_ORGANISATION),
    Part("organisation_tickets", "Tickets", Permission.VIEW_TICKETS),
    Part("organisation_applications", "Applications", Permission.VIEW_APPLICATIONS),
    Part("organisation_trace", "Trace", Permission.TRACE_MESSAGES),
    Part("organisation_audit", "Audit", Permission.VIEW_AUDIT),
)


def tabs(request: HttpRequest, organisation: Organisation, current: str) -> list[Tab]:
    held = held_as_staff(request.user)
    return [
        Tab(part.label, url(part.name, organisation.pk), part.name == current)
        for part in PARTS
        if part.permission in held
    ]


def url(name: str, *keys: int) -> str:
    return reverse(f"members:{name}", args=keys)


def organisation_of(pk: int) -> Organisation:
    """Raises Http404."""
    return get_object_or_404(Organisation.objects.select_related("parent"), pk=pk)


def person_of(pk: int) -> Person:
    """Raises Http404."""
    return get_object_or_404(Person.objects.select_related("organisation"), pk=pk)
