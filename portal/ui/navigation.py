"""Where a person can go from any page, by who they are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from engine.registry.models import (
    Grant,
    Mailbox,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from engine.registry.roles import ROLES, Permission

# The roots where portal/urls.py puts what is not ours to import.
HOME = "/"
APPLY = "/apply/"
MAIL = "/mail/"
DIRECTORY = "/directory/"
ADMIN = "/admin/"
GUIDES = "/guides/"
# Staff who look people up; every member does.
SEARCHING = [
    name
    for name, role in ROLES.items()
    if Permission.SEARCH_DIRECTORY in role.permissions
]


@dataclass(frozen=True, slots=True)
class Doors:
    """Which parts of the site are somebody's own. It shows the way; it permits nothing."""

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


def doors_of(request: HttpRequest) -> Doors:
    """The doors of whoever is signed in. One query, however many doors there are."""
    person = request.user
    if not isinstance(person, Person):
        return Doors()
    me = OuterRef("pk")
    own_mail, group_mail, administers, serves, searches = (
        Person.objects.filter(pk=person.pk)
        .values_list(
            Exists(Mailbox.objects.filter(owner=me, is_active=True)),
            Exists(Grant.objects.filter(person=me, can_read=True)),
            Exists(
                OrganisationRole.objects.filter(person=me, role=RoleName.ADMINISTRATOR)
            ),
            Exists(StaffRole.objects.filter(person=me)),
            Exists(StaffRole.objects.filter(person=me, role__in=SEARCHING)),
        )
        .get()
    )
    return Doors(
        has_mail=own_mail or group_mail,
        is_administrator=administers,
        is_staff=serves or person.is_superuser,
        may_search=searches or person.organisation_id is not None,
    )


def items(request: HttpRequest) -> list[NavigationItem]:
    """The links of the service navigation on this page."""
    if request.user.is_authenticated:
        links = _own_links(doors_of(request))
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


def _own_links(doors: Doors) -> dict[str, str]:
    links = {
        MAIL: gettext("Mail") if doors.has_mail else "",
        DIRECTORY: gettext("Directory") if doors.may_search else "",
        reverse("organisation:home"): (
            gettext("Organisation") if doors.is_administrator else ""
        ),
        ADMIN: gettext("Staff console") if doors.is_staff else "",
        reverse("account:home"): gettext("Account"),
        reverse("help"): gettext("Help"),
    }
    return {path: text for path, text in links.items() if text}


def _is_under(path: str, root: str) -> bool:
    """Whether the page belongs to the part of the site; guides belong to Help."""
    if root == HOME:
        return path == root
    roots = (root, GUIDES) if root == reverse("help") else (root,)
    return path.startswith(roots)
