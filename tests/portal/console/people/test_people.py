from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person, RoleName, StaffRole
from tests import factories
from tests.portal.conftest import SignIn, give_app


@pytest.fixture
def desk(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


def listed(desk: Client, query: str) -> list[str]:
    table = desk.get(f"/admin/people/{query}").context["sections"][-1][0].table
    return [row[1].text.partition("@")[0] for row in table.rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bob", "charlie", "olive"]),
        ("?q=BOB", ["bob"]),
        ("?q=harbour", ["charlie"]),
        ("?status=staff", ["olive"]),
        ("?status=suspended", []),
    ],
)
def test_people_are_found(
    desk: Client, bob: Person, charlie: Person, query: str, found: list[str]
) -> None:
    assert listed(desk, query) == found


def test_list_asks_as_much_for_many_as_for_few(
    desk: Client, northfield: Organisation, django_assert_max_num_queries
) -> None:
    for number in range(60):
        factories.make_person(f"p{number}@northfield.secure.example", northfield)

    with django_assert_max_num_queries(24):
        page = desk.get("/admin/people/")

    assert page.context["links"]["next"]


def test_person_is_edited_suspended_and_resumed(desk: Client, bob: Person) -> None:
    page = f"/admin/people/{bob.pk}/"

    desk.post(f"{page}edit/", {"name": "Robert", "job_title": "Clerk"})
    desk.post(f"{page}suspend/", {"reason": "Left."})
    bob.refresh_from_db()
    was_active = bob.is_active
    desk.post(f"{page}resume/", {"reason": "Came back."})

    bob.refresh_from_db()
    assert (bob.name, was_active, bob.is_active) == ("Robert", False, True)


def test_an_edit_changes_no_everyday_address(desk: Client, bob: Person) -> None:
    changes = {"name": "Bob", "everyday_address": "new@mail.example"}

    page = desk.get(f"/admin/people/{bob.pk}/edit/")
    desk.post(f"/admin/people/{bob.pk}/edit/", changes)

    bob.refresh_from_db()
    assert bob.everyday_address == ""
    assert "everyday_address" not in page.context["form"].fields


def test_another_address_is_asked_for_and_waits(
    desk: Client, bob: Person, alice: Person
) -> None:
    page = f"/admin/people/{bob.pk}/"
    asked = {"address": "new@mail.example", "reason": "Lost the old one"}

    assert "after 24 hours" in desk.get(f"{page}address/").content.decode()
    desk.post(f"{page}address/", asked)
    queue = desk.get("/admin/people/recovery/").content.decode()
    tiles = desk.get("/admin/").context["tiles"]
    twice = desk.post(f"{page}address/", asked).content.decode()

    bob.refresh_from_db()
    assert bob.everyday_address == ""
    assert "new@mail.example" in queue
    assert f"<small>{bob.address}</small>" in queue
    assert {t.label: t.number for t in tiles}[
        "Accounts waiting for a second person"
    ] == 1
    assert "already waiting" in twice
    assert "Waiting for a second person" in desk.get(page).content.decode()


def test_nothing_waits_at_first(desk: Client) -> None:
    assert "No change waits" in desk.get("/admin/people/recovery/").content.decode()


@pytest.mark.parametrize(
    "path", ["address/1/agree", "nothing/1/agree", "factor/1/stop", "mail/1/stop"]
)
def test_what_does_not_wait_is_not_found(desk: Client, path: str) -> None:
    assert desk.get(f"/admin/people/recovery/{path}/").status_code == 404


def test_sign_in_is_reset(
    desk: Client, signed_in: SignIn, bob: Person, hugh: Person, olive: Person
) -> None:
    bob.everyday_address = "bob@home.example"
    bob.save()
    give_app(bob)
    password = factories.make_app_password(bob, "1" * 64)
    page = f"/admin/people/{bob.pk}/"

    desk.post(f"{page}link/")
    desk.post(f"{page}second-factor/", {"reason": "Lost the phone"})
    (reset,) = bob.factor_resets.all()
    signed_in(hugh, second_factor=True).post(
        f"/admin/people/recovery/factor/{reset.pk}/agree/", {"reason": "Called back"}
    )

    bob.refresh_from_db()
    password.refresh_from_db()
    assert not bob.has_usable_password()
    assert not Authenticator.objects.filter(user=bob).exists()
    assert password.revoked_at


def test_agent_changes_members_and_no_staff(
    signed_in: SignIn, hugh: Person, bob: Person, olive: Person
) -> None:
    client = signed_in(hugh, second_factor=True)

    assert client.get(f"/admin/people/{bob.pk}/edit/").status_code == 200
    for act in ("edit", "suspend", "resume", "link", "second-factor", "address"):
        page = client.post(f"/admin/people/{olive.pk}/{act}/", {"reason": "Mine now"})
        # Wagtail redirects a refused visitor to its home page.
        assert page.url == "/admin/"
    olive.refresh_from_db()
    assert olive.is_active and olive.has_usable_password()
    shown = client.get(f"/admin/people/{olive.pk}/").content.decode()
    assert "Only an operator can change the account" in shown


def test_another_persons_app_password_is_not_theirs(
    desk: Client, bob: Person, charlie: Person
) -> None:
    password = factories.make_app_password(charlie, "1" * 64)

    page = desk.get(f"/admin/people/{bob.pk}/app-passwords/{password.pk}/end/")

    assert page.status_code == 404


def test_staff_are_added_without_a_role(desk: Client, helpdesk: object) -> None:
    fields = {
        "name": "Nia",
        "address": "nia@secure.example",
        "everyday_address": "nia@home.example",
    }

    desk.post("/admin/people/staff/add/", fields)

    made = Person.objects.get(address="nia@secure.example")
    assert made.organisation is None
    assert not made.staff_roles.exists()


def test_operator_gives_and_takes_roles_of_others(desk: Client, vera: Person) -> None:
    page = f"/admin/people/{vera.pk}/roles/"

    desk.post(f"{page}give/", {"role": "auditor", "reason": "Stands in."})
    made = vera.staff_roles.get(role=RoleName.AUDITOR)
    desk.post(f"{page}{made.pk}/take/", {"reason": "Back to normal."})

    assert not vera.staff_roles.filter(role=RoleName.AUDITOR).exists()
    details = Entry.objects.filter(event__startswith="staff_role.")
    assert [entry.detail["reason"] for entry in details.order_by("pk")] == [
        "Stands in.",
        "Back to normal.",
    ]


def test_nobody_gives_themselves_a_role(desk: Client, olive: Person) -> None:
    page = desk.post(
        f"/admin/people/{olive.pk}/roles/give/", {"role": "auditor", "reason": "Me"}
    )

    assert "You cannot give yourself a role" in page.content.decode()
    assert olive.staff_roles.count() == 1


def test_last_operator_stays(desk: Client, olive: Person) -> None:
    role = StaffRole.objects.get(person=olive)

    page = desk.post(
        f"/admin/people/{olive.pk}/roles/{role.pk}/take/", {"reason": "Enough."}
    )

    assert "is the only operator" in page.content.decode()
    assert StaffRole.objects.filter(pk=role.pk).exists()


def test_last_operator_who_can_work_stays(desk: Client, olive: Person) -> None:
    other = factories.make_person("otto@secure.example", is_active=False)
    factories.make_staff(other, RoleName.OPERATOR)
    role = StaffRole.objects.get(person=olive)

    page = desk.post(
        f"/admin/people/{olive.pk}/roles/{role.pk}/take/", {"reason": "Enough."}
    )

    assert "is the only operator" in page.content.decode()
