from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person, RoleName, StaffRole
from tests import factories, jobs
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


def test_the_address_before_hears_of_another_from_staff(
    desk: Client, bob: Person
) -> None:
    bob.everyday_address = "bob@mail.example"
    bob.save()
    changes = {"name": "Bob", "everyday_address": "new@mail.example"}

    desk.post(f"/admin/people/{bob.pk}/edit/", changes)
    jobs.run_waiting()

    assert [m.to for m in mail.outbox] == [["bob@mail.example"]]
    assert "no longer come" in mail.outbox[0].body


def test_sign_in_is_reset(desk: Client, bob: Person) -> None:
    bob.everyday_address = "bob@home.example"
    bob.save()
    give_app(bob)
    password = factories.make_app_password(bob, "1" * 64)
    page = f"/admin/people/{bob.pk}/"

    desk.post(f"{page}link/")
    desk.post(f"{page}second-factor/")
    desk.post(f"{page}app-passwords/{password.pk}/end/")

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
    for act in ("edit", "suspend", "resume", "link", "second-factor"):
        page = client.post(f"/admin/people/{olive.pk}/{act}/", {"reason": "Mine now"})
        # Wagtail turns a refusal into a way home.
        assert page.url == "/admin/"
    olive.refresh_from_db()
    assert olive.is_active and olive.has_usable_password()
    shown = client.get(f"/admin/people/{olive.pk}/").content.decode()
    assert "An operator changes the account" in shown


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
