"""A person is finished by the API: link, role, second factor, quota, removal."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.registry.actions import roles
from engine.registry.models import (
    Mailbox,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
)
from engine.registry.permissions import own_administrators
from engine.registry.scopes import Scope
from portal.account_admin import actions
from portal.account_admin.models import FactorReset
from tests import factories
from tests.api.conftest import Api, Key


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    return key(northfield)


def act(call: Api, person: Person) -> dict[str, int]:
    """Tries every operation on a person's account; returns the statuses."""
    at = f"/people/{person.pk}"
    return {
        "link": call("POST", f"{at}/sign-in-link").status_code,
        "factor": call(
            "POST", f"{at}/second-factor-reset", {"reason": "Lost"}
        ).status_code,
        "give": call("PUT", f"{at}/roles/administrator").status_code,
        "take": call("DELETE", f"{at}/roles/administrator").status_code,
        "remove": call("DELETE", at).status_code,
    }


def test_person_is_added_invited_and_made_administrator(
    call: Api, alice: Person, northfield: Organisation
) -> None:
    new = {
        "address": "dora@northfield.secure.example",
        "name": "Dora",
        "everyday_address": "dora@home.example",
    }
    made = call("POST", "/people", new).json()
    at = f"/people/{made['id']}"

    first, again = (
        call("POST", f"{at}/sign-in-link", Idempotency_Key="l1") for _ in range(2)
    )
    given = call("PUT", f"{at}/roles/administrator").json()

    assert first.status_code == 202
    assert first.json() == again.json() == {"sent_to": "dora@home.example"}
    assert given["roles"] == ["administrator"]
    assert call("DELETE", f"{at}/roles/administrator").status_code == 204
    assert call("GET", at).json()["roles"] == []
    events = Entry.objects.filter(subject_key=str(made["id"])).order_by("pk")
    recorded = [(one.event, one.by_key[:4]) for one in events]
    assert recorded == [
        ("person.added", "key:"),
        ("person.password_ended", "key:"),
        ("role.given", "key:"),
        ("role.taken", "key:"),
    ]


def test_link_of_a_person_whose_mail_is_elsewhere_goes_to_their_own_server(
    key: Key, firm: Organisation
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    jane.set_unusable_password()
    jane.save()

    sent = key(firm)("POST", f"/people/{jane.pk}/sign-in-link")

    assert sent.json() == {"sent_to": jane.address}


def test_link_needs_an_address_to_go_to(call: Api, bob: Person) -> None:
    refused = call("POST", f"/people/{bob.pk}/sign-in-link")

    assert refused.status_code == 409
    assert "has no everyday address" in refused.json()["detail"]
    bob.refresh_from_db()
    assert bob.is_active


def test_second_factor_waits_for_a_person_other_than_the_keys_maker(
    key: Key, northfield: Organisation, alice: Person, bob: Person
) -> None:
    Authenticator.objects.create(user=bob, type=Authenticator.Type.TOTP, data={})
    call = key(northfield, made_by=alice)

    asked = call("POST", f"/people/{bob.pk}/second-factor-reset", {"reason": "Lost"})

    assert (asked.status_code, asked.json()) == (202, {"is_done": False})
    reset = FactorReset.objects.waiting().get()
    assert reset.requested_by == alice
    with pytest.raises(Exception, match="requested this yourself"):
        actions.agree_to_factor_reset(reset, by=alice)
    other = factories.make_person("dora@northfield.secure.example", northfield)
    factories.make_administrator(other)
    actions.agree_to_factor_reset(reset, by=other)
    assert not Authenticator.objects.filter(user=bob).exists()


def test_last_administrator_keeps_the_role(call: Api, alice: Person) -> None:
    refused = call("DELETE", f"/people/{alice.pk}/roles/administrator")

    assert refused.status_code == 409
    assert "only administrator" in refused.json()["detail"]


def test_who_made_the_key_gave_the_role_that_it_gives(
    key: Key, northfield: Organisation, alice: Person, bob: Person
) -> None:
    """They could otherwise agree to what their own second account asks."""
    call = key(northfield, made_by=alice)

    call("PUT", f"/people/{bob.pk}/roles/administrator")

    givers = own_administrators.givers(bob, RoleName.ADMINISTRATOR, northfield)
    assert alice.pk in givers


def test_account_added_by_mistake_is_removed(call: Api) -> None:
    new = {"address": "dora@northfield.secure.example", "name": "Dora"}
    made = call("POST", "/people", new).json()

    removed = call("DELETE", f"/people/{made['id']}")
    again = call("POST", "/people", new)

    assert removed.status_code == 204
    assert again.status_code == 201
    assert Mailbox.objects.filter(address=new["address"]).count() == 1
    assert not call("GET", "/directory?q=nobody").json()["results"]
    assert Entry.objects.get(event="person.removed").subject_name == new["address"]


def test_account_in_use_is_not_removed(call: Api, bob: Person) -> None:
    bob.set_password("x")
    bob.save()

    refused = call("DELETE", f"/people/{bob.pk}")

    assert refused.status_code == 409
    assert "Suspend it instead" in refused.json()["detail"]


def test_neighbour_and_staff_are_out_of_reach(
    key: Key, harbour: Organisation, call: Api, alice: Person, bob: Person
) -> None:
    roles.give_staff(bob, RoleName.AUDITOR, by=None)
    queued = OrmQ.objects.count()

    assert set(act(key(harbour), alice).values()) == {404}
    assert set(act(call, bob).values()) == {409}
    for scope in (Scope.WRITE_RECOVERY, Scope.WRITE_ROLES, Scope.WRITE_PEOPLE):
        without = [one for one in Scope if one != scope and not one.is_community_wide]
        answers = act(key(alice.organisation, *without), alice)
        assert 403 in answers.values()
    assert OrmQ.objects.count() == queued
    assert OrganisationRole.objects.filter(person=alice).exists()


def test_community_key_makes_no_administrator_beside_others(
    key: Key, alice: Person, bob: Person
) -> None:
    refused = key(None)("PUT", f"/people/{bob.pk}/roles/administrator")

    assert refused.status_code == 409
    assert "Only an administrator" in refused.json()["detail"]


def test_quota_is_set_by_the_community_alone(key: Key, call: Api, bob: Person) -> None:
    at, wanted = f"/mailboxes/{bob.mailbox.pk}", {"quota_bytes": 10**9}

    assert call("PATCH", at, wanted).status_code == 409
    assert key(None)("PATCH", at, wanted).json()["quota_bytes"] == 10**9
    assert key(None)("PATCH", at, {"name": "X"} | wanted).status_code == 409
    assert call("PATCH", at, {"quota_bytes": -1}).status_code == 400
    bob.mailbox.refresh_from_db()
    assert bob.mailbox.quota_bytes == 10**9


def test_nobody_does_by_a_key_what_they_may_not_do_for_themselves(
    key: Key, northfield: Organisation, alice: Person, bob: Person
) -> None:
    call = key(northfield, made_by=bob)
    at = f"/people/{bob.pk}"

    assert call("PUT", f"{at}/roles/administrator").status_code == 409
    assert call("POST", f"{at}/sign-in-link").status_code == 409
    asked = call("POST", f"{at}/second-factor-reset", {"reason": "Lost"})
    assert asked.status_code == 409
    assert not OrganisationRole.objects.filter(person=bob).exists()


def test_a_key_of_a_recovered_account_names_no_administrator(
    key: Key, northfield: Organisation, alice: Person, bob: Person
) -> None:
    """An intruder in the account would name a second account of theirs."""
    call = key(northfield, made_by=alice)
    alice.mail_shut_at = timezone.now()
    alice.save()

    refused = call("PUT", f"/people/{bob.pk}/roles/administrator")

    assert refused.status_code == 409
    assert "recovered" in refused.json()["detail"]
