from __future__ import annotations

from dataclasses import asdict

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from engine.registry.models import Mailbox, Organisation, Person, RoleName
from engine.registry.permissions import Permission, can
from portal.ui.navigation import accessible_areas
from tests import factories


def open_to(person: Person | AnonymousUser) -> set[str]:
    """Returns the names of the areas that the navigation offers."""
    request = RequestFactory().get("/")
    request.user = person
    return {
        area for area, is_open in asdict(accessible_areas(request)).items() if is_open
    }


def test_a_stranger_has_no_doors(db: None) -> None:
    assert open_to(AnonymousUser()) == set()


def test_a_member_has_mail_while_the_mailbox_is_active(bob: Person) -> None:
    assert open_to(bob) == {"has_mail", "may_search"}

    Mailbox.objects.filter(owner=bob).update(is_active=False)
    assert open_to(bob) == {"may_search"}


@pytest.mark.parametrize(
    ("right", "areas"),
    [("can_read", {"has_mail", "may_search"}), ("can_send", {"may_search"})],
)
def test_a_group_mailbox_that_one_reads_is_mail(
    firm: Organisation, northfield: Organisation, right: str, areas: set[str]
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    team = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_grant(team, jane, **{right: True})

    assert open_to(jane) == areas


def test_an_administrator_of_anywhere_has_the_organisation_pages(bob: Person) -> None:
    factories.make_administrator(bob)

    assert open_to(bob) == {"has_mail", "may_search", "is_administrator"}


@pytest.mark.parametrize(
    "role", [role for role in RoleName if role not in ("member", "administrator")]
)
def test_staff_have_the_console_and_search_where_their_role_does(
    db: None, role: RoleName
) -> None:
    person = factories.make_person("sam@secure.example")
    factories.make_staff(person, role)

    searches = can(person, Permission.SEARCH_DIRECTORY)
    assert open_to(person) == {"is_staff"} | ({"may_search"} if searches else set())
