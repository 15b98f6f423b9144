"""Every role against every permission, in its own organisation and another."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from engine.registry import permissions
from engine.registry.models import (
    AccountType,
    OrganisationRole,
    OrganisationStatus,
    RoleName,
)
from engine.registry.permissions import Permission
from engine.registry.permissions.roles import ORGANISATION_ROLES, ROLES
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

P = Permission
COLUMNS = [
    RoleName.MEMBER,
    RoleName.ADMINISTRATOR,
    RoleName.VETTING_OFFICER,
    RoleName.HELPDESK_AGENT,
    RoleName.OPERATOR,
    RoleName.GUIDE_EDITOR,
    RoleName.AUDITOR,
]
# One line for each permission; y where the role in that column has it.
TABLE = {
    # ........................ mem adm vet hel ope gui aud
    P.USE_MAIL: "               y   y   -   -   -   -   -",
    P.SEARCH_DIRECTORY: "       y   y   y   y   y   -   -",
    P.VIEW_ORGANISATION: "      y   y   y   y   y   -   y",
    P.EDIT_ORGANISATION: "      -   y   -   -   y   -   -",
    P.MANAGE_PEOPLE: "          -   y   -   y   y   -   -",
    P.MANAGE_ROLES: "           -   y   -   -   y   -   -",
    P.MANAGE_MAILBOXES: "       -   y   -   -   y   -   -",
    P.MANAGE_LISTS: "           -   y   -   -   y   -   -",
    P.MANAGE_CONNECTIONS: "     -   y   -   -   y   -   -",
    P.TRACE_MESSAGES: "         -   y   -   y   y   -   y",
    P.VIEW_AUDIT: "             -   y   -   -   -   -   y",
    P.USE_CONSOLE: "            -   -   y   y   y   y   y",
    P.VIEW_APPLICATIONS: "      -   -   y   y   y   -   y",
    P.DECIDE_APPLICATIONS: "    -   -   y   -   -   -   -",
    P.MANAGE_ORGANISATIONS: "   -   -   -   -   y   -   -",
    P.VIEW_QUEUE: "             -   -   -   -   y   -   y",
    P.MANAGE_QUEUE: "           -   -   -   -   y   -   -",
    P.VIEW_QUARANTINE: "        -   -   -   -   y   -   y",
    P.MANAGE_QUARANTINE: "      -   -   -   -   y   -   -",
    P.VIEW_OUTBOX: "            -   -   -   -   y   -   y",
    P.MANAGE_STAFF: "           -   -   -   -   y   -   -",
    P.PUBLISH_NOTICES: "        -   -   -   -   y   -   -",
    P.EDIT_GUIDES: "            -   -   -   -   -   y   -",
    P.VIEW_TICKETS: "           -   -   -   y   -   -   y",
    P.ANSWER_TICKETS: "         -   -   -   y   -   -   -",
}
EVERY_CASE = [
    pytest.param(role, permission, mark == "y", id=f"{role}-{permission}")
    for permission, row in TABLE.items()
    for role, mark in zip(COLUMNS, row.split(), strict=True)
]


@pytest.fixture
def make_holder(northfield):
    """Creates a person with one role: within Northfield, or as staff."""

    def make(role):
        if role in ORGANISATION_ROLES:
            person = factories.make_person(
                "holder@northfield.secure.example", northfield
            )
            OrganisationRole.objects.create(
                person=person, organisation=northfield, role=role
            )
        else:
            person = factories.make_person("holder@secure.example")
            factories.make_staff(person, role)
        return person

    return make


def test_table_knows_every_permission_and_role():
    assert set(TABLE) == set(Permission)
    assert set(COLUMNS) == set(RoleName) == set(ROLES)


@pytest.mark.parametrize(("role", "permission", "is_granted"), EVERY_CASE)
def test_role_in_its_organisation(
    make_holder, northfield, role, permission, is_granted
):
    person = make_holder(role)

    assert permissions.can(person, permission, organisation=northfield) is is_granted
    assert permissions.can(person, permission) is is_granted


@pytest.mark.parametrize(("role", "permission", "is_granted"), EVERY_CASE)
def test_role_next_door(make_holder, harbour, role, permission, is_granted):
    """Staff roles apply in every organisation, an organisation's role only there."""
    person = make_holder(role)
    may_next_door = is_granted and role not in ORGANISATION_ROLES

    assert permissions.can(person, permission, organisation=harbour) is may_next_door


@pytest.mark.parametrize("role", RoleName)
@pytest.mark.parametrize("where", ["home", "neighbour", "unsaid"])
def test_nobody_who_is_suspended_may_anything(
    make_holder, northfield, harbour, role, where
):
    place = {"home": northfield, "neighbour": harbour, "unsaid": None}[where]
    person = make_holder(role)
    person.is_active = False
    person.save()

    assert permissions.held_by(person, organisation=place) == frozenset()
    assert not permissions.is_staff(person)
    assert not permissions.may_sign_in(person)


@pytest.mark.parametrize("role", sorted(ORGANISATION_ROLES))
@pytest.mark.parametrize(
    "status",
    [
        OrganisationStatus.PENDING,
        OrganisationStatus.SUSPENDED,
        OrganisationStatus.CLOSED,
    ],
)
def test_nobody_may_anything_in_an_organisation_that_is_not_active(
    make_holder, northfield, role, status
):
    northfield.status = status
    northfield.save()
    person = make_holder(role)

    assert permissions.held_by(person, organisation=northfield) == frozenset()
    assert permissions.held_by(person) == frozenset()


def test_staff_may_look_after_a_suspended_organisation(olive, northfield):
    northfield.status = OrganisationStatus.SUSPENDED
    northfield.save()

    assert permissions.can(olive, P.MANAGE_ORGANISATIONS, organisation=northfield)


def test_roles_of_a_person_whose_own_organisation_is_suspended(
    alice, northfield, harbour
):
    """A suspended supplier no longer administers its customers."""
    OrganisationRole.objects.create(
        person=alice, organisation=harbour, role=RoleName.ADMINISTRATOR
    )
    assert permissions.can(alice, P.MANAGE_PEOPLE, organisation=harbour)

    northfield.status = OrganisationStatus.SUSPENDED
    northfield.save()
    assert not permissions.can(alice, P.MANAGE_PEOPLE, organisation=harbour)


def test_nobody_signed_in_may_nothing(northfield):
    assert permissions.held_by(AnonymousUser(), organisation=northfield) == frozenset()
    assert not permissions.needs_second_factor(AnonymousUser())


def test_everybody_in_an_organisation_is_a_member(bob, northfield):
    assert not bob.organisation_roles.exists()
    assert permissions.can(bob, P.USE_MAIL)
    assert permissions.can(bob, P.USE_MAIL, organisation=northfield)


def test_person_with_no_role_and_no_organisation_may_nothing(db):
    person = factories.make_person("nobody@secure.example")

    assert permissions.held_by(person) == frozenset()


def test_being_a_superuser_grants_nothing(northfield):
    person = factories.make_person("root@secure.example", is_superuser=True)

    assert permissions.held_by(person, organisation=northfield) == frozenset()


def test_no_role_inside_an_organisation_reaches_across():
    for role in ORGANISATION_ROLES:
        assert not any(p.is_community_wide for p in ROLES[role].permissions)


def test_every_role_says_what_it_is():
    for role in ROLES.values():
        assert role.description.endswith(".")


def test_check_names_no_object(bob, northfield):
    with pytest.raises(PermissionDenied) as denied:
        permissions.check(bob, P.MANAGE_PEOPLE, organisation=northfield)
    assert "Northfield" not in str(denied.value)


def test_is_staff(alice, bob, vera, olive):
    assert permissions.is_staff(vera)
    assert permissions.is_staff(olive)
    assert not permissions.is_staff(alice)
    assert not permissions.is_staff(bob)


def test_needs_second_factor(alice, bob, vera, northfield):
    assert permissions.needs_second_factor(vera)
    assert permissions.needs_second_factor(alice)
    assert not permissions.needs_second_factor(bob)

    northfield.mfa_required = True
    northfield.save()
    assert permissions.needs_second_factor(bob)


def test_of_a_trusted_domain_only_its_own_administrators_sign_in(alice) -> None:
    police = factories.make_organisation(account_type=AccountType.TRUSTED_DOMAIN)
    factories.make_domain(police, "police.example")
    ruth = factories.make_person("ruth@police.example", police)

    assert not permissions.may_sign_in(ruth)
    # A role in another organisation gives no permission in one's own.
    OrganisationRole.objects.create(
        person=ruth, organisation=alice.organisation, role=RoleName.ADMINISTRATOR
    )
    assert not permissions.may_sign_in(ruth)
    factories.make_administrator(ruth)
    assert permissions.may_sign_in(ruth)


def test_nothing_is_held_in_an_organisation_that_is_not_active(alice, harbour) -> None:
    """Not even by a person of an active organisation who administers it."""
    OrganisationRole.objects.create(
        person=alice, organisation=harbour, role=RoleName.ADMINISTRATOR
    )
    assert permissions.can(alice, P.MANAGE_PEOPLE, organisation=harbour)
    harbour.status = OrganisationStatus.SUSPENDED
    harbour.save()

    assert permissions.held_by(alice, organisation=harbour) == frozenset()
