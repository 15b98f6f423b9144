from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.registry import permissions
from engine.registry.actions import roles
from engine.registry.errors import PolicyError
from engine.registry.models import RoleName
from engine.registry.permissions import Permission
from tests import factories

pytestmark = pytest.mark.django_db


def test_give_and_take_a_role(alice, bob, northfield):
    roles.give(bob, RoleName.ADMINISTRATOR, organisation=northfield, by=alice)
    assert permissions.can(bob, Permission.MANAGE_PEOPLE)

    roles.take(bob, RoleName.ADMINISTRATOR, organisation=northfield, by=alice)
    assert not permissions.can(bob, Permission.MANAGE_PEOPLE)
    assert list(Entry.objects.order_by("id").values_list("event", flat=True)) == [
        "role.given",
        "role.taken",
    ]


def test_give_a_role_in_another_organisation_to_a_supplier(alice, harbour, olive):
    roles.give(alice, RoleName.ADMINISTRATOR, organisation=harbour, by=olive)

    assert permissions.can(alice, Permission.MANAGE_PEOPLE, organisation=harbour)
    entry = Entry.objects.get(event="role.given")
    assert entry.organisation_key == str(harbour.pk)
    assert entry.detail == {"role": "administrator", "organisation": "Harbour Chambers"}


def test_give_a_role_twice_is_recorded_once(alice, bob, northfield):
    for _ in range(2):
        roles.give(bob, RoleName.ADMINISTRATOR, organisation=northfield, by=alice)

    assert Entry.objects.count() == 1


def test_take_a_role_that_is_not_held_changes_nothing(alice, bob, northfield):
    roles.take(bob, RoleName.ADMINISTRATOR, organisation=northfield, by=alice)

    assert not Entry.objects.exists()


def test_take_the_role_of_the_only_administrator(alice, northfield, olive):
    suspended = factories.make_person(
        "dana@northfield.secure.example", northfield, is_active=False
    )
    factories.make_administrator(suspended)

    with pytest.raises(PolicyError, match="only administrator"):
        roles.take(alice, RoleName.ADMINISTRATOR, organisation=northfield, by=olive)


def test_give_and_take_a_role_of_staff(vera, olive):
    roles.give_staff(vera, RoleName.AUDITOR, by=olive)
    assert permissions.can(vera, Permission.VIEW_AUDIT)

    roles.take_staff(vera, RoleName.AUDITOR, by=olive)
    assert not permissions.can(vera, Permission.VIEW_AUDIT)


def test_roles_stay_on_their_side(alice, northfield, olive):
    with pytest.raises(PolicyError):
        roles.give(alice, RoleName.OPERATOR, organisation=northfield, by=olive)
    with pytest.raises(PolicyError):
        roles.give_staff(alice, RoleName.ADMINISTRATOR, by=olive)


def test_nobody_makes_themselves_administrator(northfield):
    insider = factories.make_person("ida@northfield.secure.example", northfield)
    factories.make_staff(insider, RoleName.OPERATOR)

    with pytest.raises(PolicyError, match="cannot give yourself a role"):
        roles.give(insider, RoleName.ADMINISTRATOR, organisation=northfield, by=insider)
