"""One operator with a second account of their own reads no organisation's mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.actions import mailboxes, people, recovery, roles
from engine.registry.credentials import generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Mailbox,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    RoleName,
)
from engine.registry.permissions import own_administrators, two_person_rule
from engine.registry.scopes import Scope
from tests import factories
from tests.api.conftest import Api
from tests.portal.conftest import SignIn
from tests.security.intruder import OWN_ADDRESS, deliver_notices

ADMINISTRATOR = RoleName.ADMINISTRATOR
REFUSAL = "Only an administrator of Northfield Court can do this"


@pytest.fixture
def team(northfield: Organisation, bob: Person) -> Mailbox:
    """A group mailbox of Northfield that Bob reads."""
    made = factories.make_group_mailbox("listing@northfield.secure.example", northfield)
    factories.make_grant(made, bob, can_read=True)
    return made


@pytest.fixture
def second(northfield: Organisation, alice: Person, olive: Person) -> Person:
    """An account in Northfield whose links go to the operator."""
    return people.add(
        northfield,
        address="pat@northfield.secure.example",
        name="Pat",
        everyday_address=OWN_ADDRESS,
        by=olive,
    )


@pytest.fixture
def office(signed_in: SignIn, olive: Person) -> Client:
    """The operator's browser."""
    return signed_in(olive, second_factor=True)


def give(person: Person, organisation: Organisation, *, by: Person | None) -> None:
    """Makes an administrator, and lets the delay pass."""
    roles.give(person, ADMINISTRATOR, organisation=organisation, by=by)
    OrganisationRole.objects.update(given_at=F("given_at") - timedelta(hours=25))


def leave_without_administrator(organisation: Organisation) -> None:
    Person.objects.filter(organisation_roles__organisation=organisation).update(
        is_active=False
    )


def test_the_pages_give_it_no_group_mailbox(
    office: Client, second: Person, team: Mailbox
) -> None:
    at = f"/organisation/{team.organisation_id}/mailboxes/{team.pk}/"

    page = office.post(at, {"address": second.address, "rights": ["read"]})

    assert REFUSAL in page.content.decode()
    assert not second.grants.exists()


def test_the_pages_widen_no_right_that_it_has(
    office: Client, second: Person, team: Mailbox
) -> None:
    factories.make_grant(team, second, can_write=True, can_send=True)
    at = f"/organisation/{team.organisation_id}/mailboxes/{team.pk}/{second.pk}/"

    page = office.post(at, {"rights": ["read", "send"]})
    assert REFUSAL in page.content.decode()
    office.post(at, {"rights": ["send"]})

    (grant,) = second.grants.all()
    assert not grant.can_read
    assert not grant.can_write


def test_the_pages_make_it_no_administrator(
    office: Client, second: Person, northfield: Organisation
) -> None:
    at = f"/organisation/{northfield.pk}/people/{second.pk}/role/"

    page = office.post(at)

    assert REFUSAL in page.content.decode()
    assert not second.organisation_roles.exists()


def test_neither_does_a_key_of_the_community(
    office: Client, second: Person, team: Mailbox
) -> None:
    secret = generated_secrets.new_secret()
    factories.make_api_key(
        None, generated_secrets.digest(secret), str(Scope.WRITE_MAILBOXES)
    )

    answer = Api(secret)(
        "PUT", f"/mailboxes/{team.pk}/grants/{second.pk}/", {"can_read": True}
    )

    assert answer.status_code == 409
    assert REFUSAL in answer.json()["detail"]
    assert not second.grants.exists()


def test_an_organisations_own_key_gives_rights(team: Mailbox, second: Person) -> None:
    key = factories.make_api_key(team.organisation, "digest")

    assert mailboxes.grant(team, second, can_read=True, by=key).can_read


def test_suspending_the_organisation_makes_no_room(
    northfield: Organisation, alice: Person, second: Person, olive: Person
) -> None:
    Organisation.objects.update(status=OrganisationStatus.SUSPENDED)
    northfield.refresh_from_db()

    with pytest.raises(PolicyError, match="only administrator"):
        people.suspend(alice, reason="Left", by=olive)
    with pytest.raises(PolicyError, match="only administrator"):
        roles.take(alice, ADMINISTRATOR, organisation=northfield, by=olive)
    with pytest.raises(PolicyError, match="Only an administrator"):
        roles.give(second, ADMINISTRATOR, organisation=northfield, by=olive)


def test_where_no_administrator_is_left_an_operator_names_one_and_everyone_hears(
    northfield: Organisation, alice: Person, bob: Person, second: Person, olive: Person
) -> None:
    leave_without_administrator(northfield)
    Person.objects.filter(pk=olive.pk).update(everyday_address="olive@home.example")
    deliver_notices()

    roles.give(second, ADMINISTRATOR, organisation=northfield, by=olive)

    entry = Entry.objects.get(event="organisation.administrator_named")
    assert entry.organisation_key == str(northfield.pk)
    assert entry.detail == {"administrator": second.address}
    heard = deliver_notices()
    assert {bob.address, second.address, "olive@home.example"} <= heard


def test_what_the_system_and_administrators_give_is_no_news_to_everyone(
    northfield: Organisation, alice: Person, bob: Person, second: Person
) -> None:
    roles.give(second, ADMINISTRATOR, organisation=northfield, by=None)
    roles.give(bob, ADMINISTRATOR, organisation=northfield, by=alice)

    assert not Entry.objects.filter(event__endswith="administrator_named").exists()


def test_a_supplier_who_is_suspended_is_no_administrator_who_could_do_it(
    northfield: Organisation, harbour: Organisation, charlie: Person, olive: Person
) -> None:
    OrganisationRole.objects.create(
        person=charlie, organisation=northfield, role=ADMINISTRATOR
    )
    assert list(own_administrators.active_administrators(northfield)) == [charlie]

    harbour.status = OrganisationStatus.SUSPENDED
    harbour.save()

    assert not own_administrators.active_administrators(northfield).exists()
    assert own_administrators.active_administrators(harbour).exists()


def test_it_asks_for_nothing_that_its_maker_agrees_to(
    signed_in: SignIn, bob: Person, olive: Person
) -> None:
    accomplice = factories.make_person("accomplice@secure.example", name="Ann")
    roles.give_staff(accomplice, RoleName.HELPDESK_AGENT, reason="New", by=olive)
    change = recovery.request_address_change(
        bob, address=OWN_ADDRESS, reason="Lost", by=accomplice
    )

    with pytest.raises(PolicyError, match="Ann asked for this"):
        recovery.confirm_address_change(change, reason="Lost", by=olive)
    roles.take_staff(accomplice, RoleName.HELPDESK_AGENT, by=olive)
    with pytest.raises(PolicyError, match="Ann asked for this"):
        recovery.confirm_address_change(change, reason="Lost", by=olive)


def key_refusal(organisation: Organisation, *, first: Person, by: Person) -> str:
    try:
        two_person_rule.check_can_agree_to_key(organisation, first=first, by=by)
    except PolicyError as refused:
        return str(refused)
    return ""


def test_nobody_agrees_to_the_key_of_an_administrator_whom_they_made(
    northfield: Organisation,
    alice: Person,
    second: Person,
    olive: Person,
    hugh: Person,
) -> None:
    leave_without_administrator(northfield)
    give(second, northfield, by=olive)

    assert "you made" in key_refusal(northfield, first=second, by=olive)
    assert key_refusal(northfield, first=second, by=hugh) == ""


def test_nor_to_that_of_one_whom_their_own_made(
    northfield: Organisation, bob: Person, second: Person, olive: Person, hugh: Person
) -> None:
    leave_without_administrator(northfield)
    give(second, northfield, by=olive)
    give(bob, northfield, by=second)

    assert "you made" in key_refusal(northfield, first=bob, by=olive)
    assert "you made" in key_refusal(northfield, first=bob, by=second)
    assert key_refusal(northfield, first=bob, by=hugh) == ""


def test_a_role_that_went_and_came_back_tells_both_givers(
    northfield: Organisation, alice: Person, bob: Person, second: Person
) -> None:
    give(bob, northfield, by=alice)
    roles.take(bob, ADMINISTRATOR, organisation=northfield, by=alice)
    give(second, northfield, by=None)
    give(bob, northfield, by=second)

    assert own_administrators.givers(bob, ADMINISTRATOR, northfield) == {
        alice.pk,
        second.pk,
    }
    assert not own_administrators.givers(second, ADMINISTRATOR, northfield)


def test_a_key_waits_until_its_makers_role_is_old_enough(
    northfield: Organisation, alice: Person, bob: Person, hugh: Person
) -> None:
    roles.give(bob, ADMINISTRATOR, organisation=northfield, by=alice)
    assert "for 24 hours" in key_refusal(northfield, first=bob, by=hugh)

    OrganisationRole.objects.update(given_at=F("given_at") - timedelta(hours=25))

    assert key_refusal(northfield, first=bob, by=hugh) == ""


def test_who_was_just_recovered_lets_nobody_in(
    northfield: Organisation,
    alice: Person,
    second: Person,
    team: Mailbox,
    olive: Person,
) -> None:
    Person.objects.filter(pk=alice.pk).update(mail_shut_at=timezone.now())
    alice.refresh_from_db()

    with pytest.raises(PolicyError, match="just been recovered"):
        mailboxes.grant(team, second, can_read=True, by=alice)
    with pytest.raises(PolicyError, match="just been recovered"):
        roles.give(second, ADMINISTRATOR, organisation=northfield, by=alice)


def test_the_account_of_an_administrator_who_never_came_is_not_staffs_at_once(
    northfield: Organisation, alice: Person, bob: Person, olive: Person
) -> None:
    invited = people.add(
        northfield,
        address="ina@northfield.secure.example",
        name="Ina",
        everyday_address="ina@home.example",
        by=alice,
    )
    member = recovery.request_address_change(
        invited, address="in@home.example", reason="A slip", by=olive
    )
    assert member.applied_at is not None
    roles.give(invited, ADMINISTRATOR, organisation=northfield, by=alice)

    change = recovery.request_address_change(
        invited, address=OWN_ADDRESS, reason="Asked by phone", by=olive
    )

    assert change.applied_at is None
    recovery.refuse_address_change(change, by=alice)
    own = recovery.request_address_change(
        invited, address="ina@home.example", reason="A slip", by=alice
    )
    assert own.applied_at is not None
