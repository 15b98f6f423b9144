from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person, RoleName, StaffRole
from tests import factories
from tests.portal.conftest import SignIn, give_app


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


def listed(staff_client: Client, query: str) -> list[str]:
    table = staff_client.get(f"/admin/people/{query}").context["sections"][-1][0].table
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
    staff_client: Client, bob: Person, charlie: Person, query: str, found: list[str]
) -> None:
    assert listed(staff_client, query) == found


def test_list_asks_as_much_for_many_as_for_few(
    staff_client: Client, northfield: Organisation, django_assert_max_num_queries
) -> None:
    for number in range(60):
        factories.make_person(f"p{number}@northfield.secure.example", northfield)

    with django_assert_max_num_queries(24):
        page = staff_client.get("/admin/people/")

    assert page.context["links"]["next"]


def test_person_is_edited_suspended_and_resumed(
    staff_client: Client, bob: Person
) -> None:
    page = f"/admin/people/{bob.pk}/"

    staff_client.post(f"{page}edit/", {"name": "Robert", "job_title": "Clerk"})
    staff_client.post(f"{page}suspend/", {"reason": "Left."})
    bob.refresh_from_db()
    was_active = bob.is_active
    staff_client.post(f"{page}resume/", {"reason": "Came back."})

    bob.refresh_from_db()
    assert (bob.name, was_active, bob.is_active) == ("Robert", False, True)


def test_an_edit_changes_no_everyday_address(staff_client: Client, bob: Person) -> None:
    changes = {"name": "Bob", "everyday_address": "new@mail.example"}

    page = staff_client.get(f"/admin/people/{bob.pk}/edit/")
    staff_client.post(f"/admin/people/{bob.pk}/edit/", changes)

    bob.refresh_from_db()
    assert bob.everyday_address == ""
    assert "everyday_address" not in page.context["form"].fields


def test_another_address_is_asked_for_and_waits(
    staff_client: Client, bob: Person, alice: Person
) -> None:
    page = f"/admin/people/{bob.pk}/"
    asked = {"address": "new@mail.example", "reason": "Lost the old one"}

    assert "after 24 hours" in staff_client.get(f"{page}address/").content.decode()
    staff_client.post(f"{page}address/", asked)
    queue = staff_client.get("/admin/people/recovery/").content.decode()
    tiles = staff_client.get("/admin/").context["tiles"]
    twice = staff_client.post(f"{page}address/", asked).content.decode()

    bob.refresh_from_db()
    assert bob.everyday_address == ""
    assert "new@mail.example" in queue
    assert f"<small>{bob.address}</small>" in queue
    assert {t.label: t.number for t in tiles}[
        "Changes waiting for a second person"
    ] == 1
    assert "already pending" in twice
    assert "Waiting for a second person" in staff_client.get(page).content.decode()


def test_nothing_waits_at_first(staff_client: Client) -> None:
    assert (
        "No change waits"
        in staff_client.get("/admin/people/recovery/").content.decode()
    )


@pytest.mark.parametrize(
    "path", ["address/1/agree", "nothing/1/agree", "factor/1/stop", "mail/1/stop"]
)
def test_what_does_not_wait_is_not_found(staff_client: Client, path: str) -> None:
    assert staff_client.get(f"/admin/people/recovery/{path}/").status_code == 404


def test_sign_in_is_reset(
    staff_client: Client, signed_in: SignIn, bob: Person, hugh: Person, olive: Person
) -> None:
    bob.everyday_address = "bob@home.example"
    bob.save()
    give_app(bob)
    password = factories.make_app_password(bob, "1" * 64)
    page = f"/admin/people/{bob.pk}/"

    staff_client.post(f"{page}link/")
    staff_client.post(f"{page}second-factor/", {"reason": "Lost the phone"})
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
    staff_client: Client, bob: Person, charlie: Person
) -> None:
    password = factories.make_app_password(charlie, "1" * 64)

    page = staff_client.get(f"/admin/people/{bob.pk}/app-passwords/{password.pk}/end/")

    assert page.status_code == 404


def test_staff_are_added_without_a_role(staff_client: Client, helpdesk: object) -> None:
    fields = {
        "name": "Nia",
        "address": "nia@secure.example",
        "everyday_address": "nia@home.example",
    }

    staff_client.post("/admin/people/staff/add/", fields)

    made = Person.objects.get(address="nia@secure.example")
    assert made.organisation is None
    assert not made.staff_roles.exists()


def test_operator_gives_and_takes_roles_of_others(
    staff_client: Client, vera: Person
) -> None:
    page = f"/admin/people/{vera.pk}/roles/"

    staff_client.post(f"{page}give/", {"role": "auditor", "reason": "Stands in."})
    made = vera.staff_roles.get(role=RoleName.AUDITOR)
    staff_client.post(f"{page}{made.pk}/take/", {"reason": "Back to normal."})

    assert not vera.staff_roles.filter(role=RoleName.AUDITOR).exists()
    details = Entry.objects.filter(event__startswith="staff_role.")
    assert [entry.detail["reason"] for entry in details.order_by("pk")] == [
        "Stands in.",
        "Back to normal.",
    ]


def test_nobody_gives_themselves_a_role(staff_client: Client, olive: Person) -> None:
    page = staff_client.post(
        f"/admin/people/{olive.pk}/roles/give/", {"role": "auditor", "reason": "Me"}
    )

    assert "You cannot give yourself a role" in page.content.decode()
    assert olive.staff_roles.count() == 1


def test_last_operator_stays(staff_client: Client, olive: Person) -> None:
    role = StaffRole.objects.get(person=olive)

    page = staff_client.post(
        f"/admin/people/{olive.pk}/roles/{role.pk}/take/", {"reason": "Enough."}
    )

    assert "is the only operator" in page.content.decode()
    assert StaffRole.objects.filter(pk=role.pk).exists()


def test_last_operator_who_can_work_stays(staff_client: Client, olive: Person) -> None:
    other = factories.make_person("otto@secure.example", is_active=False)
    factories.make_staff(other, RoleName.OPERATOR)
    role = StaffRole.objects.get(person=olive)

    page = staff_client.post(
        f"/admin/people/{olive.pk}/roles/{role.pk}/take/", {"reason": "Enough."}
    )

    assert "is the only operator" in page.content.decode()
