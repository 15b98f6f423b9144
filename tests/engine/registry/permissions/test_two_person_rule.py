"""The second of two persons: neither themselves, nor the first, nor new to the role."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.registry.credentials.account_recovery import recovery_delay
from engine.registry.errors import PolicyError
from engine.registry.models import OrganisationRole, Person, RoleName, StaffRole
from engine.registry.permissions import two_person_rule
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def gwen(northfield):
    """Another administrator of Northfield, since always."""
    person = factories.make_person("gwen@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


def given(role, *, ago):
    role.given_at = timezone.now() - ago
    role.save()


@pytest.fixture
def roles_of_today(alice):
    """Alice's role was given to her just now."""
    given(OrganisationRole.objects.get(person=alice), ago=timedelta())


def refusal(person, *, first=None, by):
    """Why the person may not be the second; empty where they may."""
    try:
        two_person_rule.check_can_agree(person, first=first, by=by)
    except PolicyError as refused:
        return str(refused)
    return ""


def key_refusal(organisation, *, first=None, by):
    try:
        two_person_rule.check_can_agree_to_key(organisation, first=first, by=by)
    except PolicyError as refused:
        return str(refused)
    return ""


def test_another_administrator_may_agree(northfield, alice, bob, gwen):
    assert refusal(bob, first=gwen, by=alice) == ""
    assert refusal(bob, by=alice) == ""
    assert key_refusal(northfield, first=gwen, by=alice) == ""
    assert key_refusal(northfield, by=alice) == ""


def test_nobody_agrees_to_what_they_asked_for_or_own(northfield, alice, bob, gwen):
    assert "yourself" in refusal(bob, first=alice, by=alice)
    assert "your own account" in refusal(alice, first=gwen, by=alice)
    assert "You made this key" in key_refusal(northfield, first=alice, by=alice)


def test_only_who_manages_the_account_may_agree(northfield, alice, bob, charlie, olive):
    person = factories.make_person("x@northfield.secure.example", northfield)
    for other in (bob, charlie):
        assert "do not manage" in refusal(person, by=other)
        assert "do not manage" in key_refusal(northfield, by=other)
    assert "do not manage" in refusal(olive, by=alice)
    assert refusal(bob, by=olive) == ""


def test_for_an_account_of_staff_it_is_another_operator(alice, olive, hugh):
    other = factories.make_person("omar@secure.example")
    factories.make_staff(other, RoleName.OPERATOR)

    assert refusal(olive, by=other) == ""
    assert "do not manage" in refusal(olive, by=hugh)


@pytest.mark.usefixtures("roles_of_today")
def test_a_role_counts_only_after_the_recovery_delay(northfield, alice, bob):
    role = OrganisationRole.objects.get(person=alice)
    assert "too new" in refusal(bob, by=alice)
    assert "too new" in key_refusal(northfield, by=alice)

    given(role, ago=recovery_delay() - timedelta(minutes=1))
    assert "too new" in refusal(bob, by=alice)

    given(role, ago=recovery_delay() + timedelta(minutes=1))
    assert refusal(bob, by=alice) == ""
    assert key_refusal(northfield, by=alice) == ""


@pytest.mark.usefixtures("roles_of_today")
def test_no_other_role_makes_up_for_a_new_one(northfield, harbour, alice, bob, gwen):
    OrganisationRole.objects.create(
        person=alice, organisation=harbour, role=RoleName.ADMINISTRATOR
    )
    OrganisationRole.objects.create(
        person=alice, organisation=northfield, role=RoleName.MEMBER
    )
    factories.make_staff(gwen, RoleName.HELPDESK_AGENT)

    assert "too new" in refusal(bob, by=alice)
    assert "too new" in key_refusal(northfield, by=alice)


def test_neither_does_a_staff_role_that_grants_something_else(alice, bob, olive):
    given(StaffRole.objects.get(person=olive), ago=timedelta())
    factories.make_staff(olive, RoleName.GUIDE_EDITOR)

    assert "too new" in refusal(bob, by=olive)


def test_an_account_just_recovered_agrees_to_nothing(northfield, alice, bob):
    Person.objects.filter(pk=alice.pk).update(mail_shut_at=timezone.now())
    alice.refresh_from_db()

    assert "just been recovered" in refusal(bob, by=alice)
    assert "do not manage" in key_refusal(northfield, by=alice)


def test_who_administers_elsewhere_is_for_who_does_so_too(
    harbour, northfield, alice, bob, olive
):
    """An actor who gave bob another way to sign in could act as he does in Harbour."""
    OrganisationRole.objects.create(
        person=bob, organisation=harbour, role=RoleName.ADMINISTRATOR
    )
    check = two_person_rule.check_holds_same_powers
    key = factories.make_api_key(northfield, "digest")
    with pytest.raises(PolicyError, match="also administers Harbour"):
        check(bob, by=alice)
    with pytest.raises(PolicyError, match="also administers Harbour"):
        check(bob, by=key)
    check(bob, by=olive)
    check(bob, by=None)
    check(bob, by=factories.make_api_key(harbour, "another"))
    check(bob, by=factories.make_api_key(None, "the community's"))

    OrganisationRole.objects.create(
        person=alice, organisation=harbour, role=RoleName.ADMINISTRATOR
    )
    check(bob, by=alice)
