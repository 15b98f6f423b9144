"""The service navigation: the areas of the site that a person can open."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from engine.registry.models import Person
from engine.registry.permissions import roles_held
from engine.registry.permissions.roles import ROLES, Permission

# The roots in portal/urls.py of rooms that this one may not import.
HOME = "/"
APPLY = "/apply/"
MAIL = "/mail/"
DIRECTORY = "/directory/"
ADMIN = "/admin/"
GUIDES = "/guides/"
# Staff roles that search the directory; every member does.
SEARCHING_ROLES = [
    name
    for name, role in ROLES.items()
    if Permission.SEARCH_DIRECTORY in role.permissions
]


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas that the navigation offers a person. The views check permissions."""

    has_mail: bool = False
    is_administrator: bool = False
    is_staff: bool = False
    may_search: bool = False


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One link of the service navigation."""

    text: str
    href: str
    is_current: bool = False


def accessible_areas(request: HttpRequest) -> Areas:
    """Returns the areas for the signed-in person."""
    person = request.user
    if not isinstance(person, Person):
        return Areas()
    roles = roles_held.of_visitor(request, person)
    return Areas(
        has_mail=roles.has_mail,
        is_administrator=any(map(roles.administers, roles.in_organisations)),
        is_staff=bool(roles.staff) or person.is_superuser,
        may_search=not roles.staff.isdisjoint(SEARCHING_ROLES)
        or person.organisation_id is not None,
    )


def items(request: HttpRequest) -> list[NavigationItem]:
    """Returns the links of the service navigation on this page."""
    if request.user.is_authenticated:
        links = _own_links(accessible_areas(request))
    else:
        links = {
            HOME: gettext("Home"),
            APPLY: gettext("Apply to join"),
            reverse("help"): gettext("Help"),
            reverse("account_login"): gettext("Sign in"),
        }
    return [
        NavigationItem(text, path, _is_under(request.path, path))
        for path, text in links.items()
    ]


def _own_links(areas: Areas) -> dict[str, str]:
    links = {
        MAIL: gettext("Mail") if areas.has_mail else "",
        DIRECTORY: gettext("Directory") if areas.may_search else "",
        reverse("organisation:home"): (
            gettext("Organisation") if areas.is_administrator else ""
        ),
        ADMIN: gettext("Staff console") if areas.is_staff else "",
        reverse("account:home"): gettext("Account"),
        reverse("help"): gettext("Help"),
    }
    return {path: text for path, text in links.items() if text}


def _is_under(path: str, root: str) -> bool:
    """Whether the page belongs to an area; guides belong to Help."""
    if root == HOME:
        return path == root
    roots = (root, GUIDES) if root == reverse("help") else (root,)
    return path.startswith(roots)
