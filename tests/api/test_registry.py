"""Organisations, domains, connections, people, mailboxes and lists through the API."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from engine.audit.models import Entry
from engine.registry.models import (
    Connection,
    DistributionList,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from engine.registry.scopes import Scope
from tests import factories
from tests.api.conftest import Api, Key


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    return key(northfield)


@pytest.fixture
def clerks(northfield: Organisation) -> Mailbox:
    return factories.make_group_mailbox("clerks@northfield.secure.example", northfield)


@pytest.fixture
def duty(northfield: Organisation) -> DistributionList:
    return factories.make_list("duty@northfield.secure.example", northfield)


def test_person_is_added_with_a_mailbox(call: Api, northfield: Organisation) -> None:
    made = call(
        "POST",
        "/people/",
        {"address": "dora@northfield.secure.example", "name": "Dora"},
    )

    assert made.status_code == 201
    assert made.json()["organisation"] == northfield.pk
    assert Mailbox.objects.get(address=made.json()["address"]).name == "Dora"


def test_person_is_not_added_to_the_neighbour(call: Api, harbour: Organisation) -> None:
    made = call(
        "POST",
        "/people/",
        {
            "organisation": harbour.pk,
            "address": "dora@harbour.secure.example",
            "name": "Dora",
        },
    )

    assert made.status_code == 404
    assert not Person.objects.filter(name="Dora").exists()


def test_address_of_another_domain_is_refused_with_the_reason(call: Api) -> None:
    made = call("POST", "/people/", {"address": "dora@else.example", "name": "Dora"})

    assert made.status_code == 409
    assert "not in a domain of Northfield Court" in made.json()["detail"]


def test_community_key_must_name_the_organisation(
    key: Key, harbour: Organisation
) -> None:
    person = {"address": "dora@harbour.secure.example", "name": "Dora"}

    unnamed = key(None)("POST", "/people/", person)
    named = key(None)("POST", "/people/", person | {"organisation": harbour.pk})

    assert unnamed.status_code == 409
    assert "Name an organisation" in unnamed.json()["detail"]
    assert named.status_code == 201


def test_person_is_changed_suspended_and_resumed(call: Api, bob: Person) -> None:
    at = f"/people/{bob.pk}/"

    assert call("PATCH", at, {"job_title": "Usher"}).json()["job_title"] == "Usher"
    assert not call("POST", f"{at}suspend/", {"reason": "Left"}).json()["is_active"]
    assert call("POST", f"{at}resume/").json()["is_active"]


def test_nobody_s_powers_are_taken_by_changing_staff(call: Api, bob: Person) -> None:
    factories.make_staff(bob, RoleName.OPERATOR)

    asked = {"address": "me@x.example", "reason": "Lost"}

    change = call("POST", f"/people/{bob.pk}/recovery-address/", asked)
    edited = call("PATCH", f"/people/{bob.pk}/", {"name": "Robert"})

    assert (change.status_code, edited.status_code) == (409, 409)
    bob.refresh_from_db()
    assert bob.everyday_address == ""


@pytest.mark.parametrize(("verb", "is_active"), [("suspend", True), ("resume", False)])
def test_a_key_neither_suspends_nor_resumes_staff(
    call: Api, bob: Person, verb: str, is_active: bool
) -> None:
    factories.make_staff(bob, RoleName.OPERATOR)
    Person.objects.filter(pk=bob.pk).update(is_active=is_active)

    answer = call("POST", f"/people/{bob.pk}/{verb}/", {"reason": "Left"})

    bob.refresh_from_db()
    assert answer.status_code == 409
    assert bob.is_active is is_active


def test_an_everyday_address_is_no_part_of_a_profile(call: Api, bob: Person) -> None:
    answer = call("PATCH", f"/people/{bob.pk}/", {"everyday_address": "me@x.example"})

    assert answer.status_code == 400
    assert "everyday_address" in answer.text


def test_another_everyday_address_is_asked_for_and_waits(
    call: Api, bob: Person
) -> None:
    asked = {"address": "new@x.example", "reason": "Lost the old one"}

    answer = call("POST", f"/people/{bob.pk}/recovery-address/", asked)

    assert answer.status_code == 202
    assert answer.json()["address"] == "new@x.example"
    assert answer.json()["applied_at"] is None
    bob.refresh_from_db()
    assert bob.everyday_address == ""


def test_staff_are_in_no_list(key: Key, olive: Person, bob: Person) -> None:
    listed = key(None)("GET", "/people/").json()["results"]

    assert [one["address"] for one in listed] == [bob.address]


def test_only_administrator_stays(call: Api, alice: Person) -> None:
    answer = call("POST", f"/people/{alice.pk}/suspend/", {"reason": "Left"})

    assert answer.status_code == 409
    assert "only administrator" in answer.json()["detail"]


def test_list_is_narrowed_by_facts(call: Api, alice: Person, bob: Person) -> None:
    found = call("GET", f"/people/?address={bob.address}").json()["results"]

    assert [one["id"] for one in found] == [bob.pk]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("colour=red", "/colour"),
        ("organisation=x", "/organisation"),
        ("limit=0", "/limit"),
        ("limit=lots", "/limit"),
    ],
)
def test_question_that_means_nothing_is_told(
    call: Api, bob: Person, query: str, pointer: str
) -> None:
    answer = call("GET", f"/people/?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_page_that_nobody_named_is_not_there(call: Api, bob: Person) -> None:
    answer = call("GET", "/people/?cursor=bz0x")

    assert answer.status_code == 404
    assert "`next` or `previous`" in answer.json()["detail"]


@pytest.mark.parametrize(
    "said",
    [{"name": 0}, {"name": True}, {"is_ex_directory": 0}, {"is_ex_directory": "false"}],
)
def test_json_of_another_kind_is_not_taken_for_the_right_one(
    call: Api, bob: Person, said: dict[str, object]
) -> None:
    answer = call("PATCH", f"/people/{bob.pk}/", said)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(said))}"


def test_pages_follow_each_other(call: Api, northfield: Organisation) -> None:
    for number in range(5):
        factories.make_person(f"p{number}@northfield.secure.example", northfield)
    first = call("GET", "/people/?limit=3").json()

    second = call("GET", first["next"].partition("/api/v1")[2]).json()

    names = [one["name"] for one in first["results"] + second["results"]]
    assert names == ["P4", "P3", "P2", "P1", "P0"]
    assert second["next"] is None


def test_unknown_field_is_told(call: Api, bob: Person) -> None:
    answer = call("PATCH", f"/people/{bob.pk}/", {"is_superuser": True})

    assert answer.json()["errors"] == [
        {"pointer": "/is_superuser", "detail": "This field does not exist."}
    ]


def test_change_of_what_changed_meanwhile_is_refused(call: Api, bob: Person) -> None:
    at = f"/people/{bob.pk}/"
    read = call("GET", at)["ETag"]

    first = call("PATCH", at, {"town": "Hull"}, If_Match=read)
    second = call("PATCH", at, {"town": "York"}, If_Match=read)
    third = call("PATCH", at, {"town": "York"}, If_Match=first["ETag"])

    assert [a.status_code for a in (first, second, third)] == [200, 412, 200]


def test_group_mailbox_is_made_and_shared(call: Api, bob: Person) -> None:
    made = call(
        "POST",
        "/mailboxes/",
        {"address": "listing@northfield.secure.example", "name": "Listing"},
    ).json()
    grants = f"/mailboxes/{made['id']}/grants/"

    granted = call("PUT", f"{grants}{bob.pk}/", {"can_read": True})

    assert granted.json()["can_read"] and not granted.json()["can_send"]
    assert [one["address"] for one in call("GET", grants).json()["results"]] == [
        bob.address
    ]
    assert call("DELETE", f"{grants}{bob.pk}/").status_code == 204
    assert call("DELETE", f"{grants}{bob.pk}/").status_code == 404


def test_neighbour_gets_no_rights(call: Api, clerks: Mailbox, charlie: Person) -> None:
    granted = call(
        "PUT", f"/mailboxes/{clerks.pk}/grants/{charlie.pk}/", {"can_read": True}
    )

    assert granted.status_code == 404


def test_personal_mailbox_is_changed_through_its_person(call: Api, bob: Person) -> None:
    answer = call("PATCH", f"/mailboxes/{bob.mailbox.pk}/", {"name": "Robert"})

    assert answer.status_code == 409


def test_list_gets_members_and_posters(
    call: Api, duty: DistributionList, bob: Person, charlie: Person
) -> None:
    for kind in ("members", "posters"):
        at = f"/lists/{duty.pk}/{kind}/"
        made = call("POST", at, {"address": charlie.address})
        again = call("POST", at, {"address": charlie.address})

        assert (made.status_code, again.status_code) == (201, 201)
        assert [o["address"] for o in call("GET", at).json()["results"]] == [
            charlie.address
        ]
        assert call("DELETE", f"{at}{made.json()['id']}/").status_code == 204
        assert call("GET", at).json()["results"] == []


def test_list_counts_its_members(call: Api, bob: Person) -> None:
    made = call(
        "POST",
        "/lists/",
        {"address": "all@northfield.secure.example", "name": "All"},
    ).json()
    call("POST", f"/lists/{made['id']}/members/", {"address": bob.address})

    changed = call("PATCH", f"/lists/{made['id']}/", {"posting": "members"}).json()

    assert (made["member_count"], changed["member_count"]) == (0, 1)
    assert changed["posting"] == "members"


def test_connection_gets_a_credential_once(
    key: Key, firm: Organisation, firm_connection: Connection
) -> None:
    call = key(firm)
    at = f"/connections/{firm_connection.pk}/"
    call("PATCH", at, {"next_hop_host": "mail.firm.example", "unproven_mail": "hold"})

    made = call("POST", f"{at}credentials/").json()
    shown = call("GET", at).json()

    assert made["secret"]
    assert "secret" not in shown["credentials"][0]
    assert shown["next_hop_host"] == "mail.firm.example"
    assert shown["unproven_mail"] == "hold"
    assert call("PATCH", at, {"unproven_mail": "lose"}).status_code == 400
    assert call("DELETE", f"{at}credentials/{made['id']}/").status_code == 204
    assert call("GET", at).json()["credentials"][0]["revoked_at"]


def test_domain_is_not_taken_without_the_community(
    key: Key, call: Api, firm: Organisation
) -> None:
    own = call("POST", "/domains/", {"member_domain": "bank.example"})
    staff = key(None)(
        "POST",
        "/domains/",
        {"organisation": firm.pk, "member_domain": "second.example"},
    )

    assert own.status_code == 409
    assert staff.json()["community_domain"] == "second.example.secure.example"
    assert key(None)("DELETE", f"/domains/{staff.json()['id']}/").status_code == 204


def test_organisation_is_suspended_by_the_community_only(
    key: Key, call: Api, northfield: Organisation
) -> None:
    at = f"/organisations/{northfield.pk}/suspend/"

    assert call("POST", at, {"reason": "x"}).status_code == 409
    assert key(None)("POST", at, {"reason": "x"}).json()["status"] == "suspended"
    # Its key has no access from now on.
    assert call("GET", "/organisations/").status_code == 401


def test_key_searches_the_directory_as_its_administrators_do(
    key: Key, call: Api, bob: Person, charlie: Person, northfield: Organisation
) -> None:
    factories.make_person(
        "hidden@northfield.secure.example", northfield, is_ex_directory=True
    )

    def found(api: Api, q: str) -> list[str]:
        results = api("GET", f"/directory/?q={q}").json()["results"]
        return [one["address"] for one in results]

    assert found(call, "charlie") == [charlie.address]
    assert found(call, "hidden") == ["hidden@northfield.secure.example"]
    assert found(key(None), "hidden") == []
    assert key(northfield, Scope.READ_PEOPLE)("GET", "/directory/").status_code == 403


def test_key_reads_the_organisation_s_own_audit(
    call: Api, bob: Person, harbour: Organisation, key: Key
) -> None:
    call("PATCH", f"/people/{bob.pk}/", {"town": "Hull"})
    charlies = factories.make_person("dan@harbour.secure.example", harbour)
    key(harbour)("PATCH", f"/people/{charlies.pk}/", {"town": "Hull"})

    entries = call("GET", "/audit/?event=person.edited").json()["results"]

    assert [one["subject_name"] for one in entries] == [bob.address]
    assert entries[0]["by_key"].startswith("key:")
    theirs = Entry.objects.get(subject_name=charlies.address)
    assert call("GET", f"/audit/{theirs.pk}/").status_code == 404


@pytest.mark.parametrize(
    "path", ["people", "mailboxes", "lists", "connections", "domains"]
)
def test_long_list_asks_the_database_no_more(
    key: Key,
    firm: Organisation,
    path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    call = key(firm)
    for number in range(6):
        person = factories.make_person(f"p{number}@firm.example", firm)
        factories.make_administrator(person)
        factories.make_mailbox(person)
        factories.make_list(f"l{number}@firm.example", firm, "a@b.example")
        factories.make_connection(firm)
        factories.make_domain(firm, f"d{number}.example")
    call("GET", f"/{path}/?limit=1")
    # The token or key, its organisation, and the rows with their related rows.
    with django_assert_num_queries(5 if path in ("people", "connections") else 4):
        answer = call("GET", f"/{path}/")

    assert len(answer.json()["results"]) >= 6
