from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.actions import people
from engine.registry.models import (
    DistributionList,
    Mailbox,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
)
from tests import factories, jobs
from tests.portal.conftest import SignIn, give_app
from tests.portal.organisation.conftest import Path
from tests.security.intruder import deliver_notices

NEW = {
    "name": "Jo Field",
    "address": "jo",
    "everyday_address": "jo@mail.example",
    "sends_link": "on",
}


def test_people_are_listed_with_their_role(
    admin_client: Client, path_to: Path, alice: Person, bob: Person, charlie: Person
) -> None:
    rows = admin_client.get(path_to("people/")).context["page"].rows

    assert [(p.pk, p.is_administrator) for p in rows] == [
        (alice.pk, True),
        (bob.pk, False),
    ]


def test_a_thousand_people_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    thousand_people: list[Person],
    django_assert_max_num_queries,
) -> None:
    admin_client.get(path_to("people/"))

    with django_assert_max_num_queries(17):
        first = admin_client.get(path_to("people/"))
    second = admin_client.get(
        path_to("people/") + first.context["page"].links["next"]["href"]
    )
    back = admin_client.get(
        path_to("people/") + second.context["page"].links["previous"]["href"]
    )

    names = [p.name for p in first.context["page"].rows]
    assert names[:2] == ["Alice", "Person 0000"]
    assert second.context["page"].rows[0].name == "Person 0049"
    assert [p.name for p in back.context["page"].rows] == names
    assert "previous" not in back.context["page"].links


@pytest.mark.parametrize("query", ["?after=0", "?after=x", "?before=" + "9" * 40])
def test_a_page_after_nobody_is_the_first(
    admin_client: Client, path_to: Path, bob: Person, query: str
) -> None:
    assert len(admin_client.get(path_to("people/") + query).context["page"].rows) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=bob", ["Bob"]),
        ("q=clerk", ["Bob"]),
        ("q=bob+nobody", []),
        ("q=%00", ["Alice", "Bob"]),
        ("status=administrators", ["Alice"]),
        ("status=suspended", []),
        ("status=nonsense", ["Alice", "Bob"]),
    ],
)
def test_people_are_found(
    admin_client: Client, path_to: Path, bob: Person, query: str, found: list[str]
) -> None:
    bob.job_title = "Court clerk"
    bob.save()

    rows = admin_client.get(path_to(f"people/?{query}")).context["page"].rows

    assert [person.name for person in rows] == found


def test_add_a_person_who_gets_a_link(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    admin_client.post(path_to("people/add/"), NEW)
    jobs.run_queued()

    jo = Person.objects.get(address="jo@northfield.secure.example")
    assert not jo.has_usable_password()
    assert jo.mailbox.address == jo.address
    assert Entry.objects.filter(event="person.added", by_name=alice.address).exists()
    assert [m.to for m in mail.outbox] == [["jo@mail.example"]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"address": "alice"}, "already in use"),
        ({"address": "jo@harbour.secure.example"}, "is not in a domain"),
        ({"address": "not an address"}, "is not an address"),
        ({"name": ""}, "Enter full name"),
        ({"everyday_address": ""}, "or do not send a link"),
    ],
)
def test_add_a_person_wrongly(
    admin_client: Client,
    path_to: Path,
    harbour: Organisation,
    change: dict[str, str],
    says: str,
) -> None:
    page = admin_client.post(path_to("people/add/"), NEW | change)

    assert says in page.content.decode()
    assert Person.objects.count() == 1


def test_edit_details_and_hide_from_the_directory(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    admin_client.post(
        path_to(f"people/{bob.pk}/edit/"), {"name": "Robert", "is_ex_directory": "on"}
    )

    bob.refresh_from_db()
    assert (bob.name, bob.is_ex_directory) == ("Robert", True)
    assert not bob.mailbox.is_published


def test_an_edit_changes_no_everyday_address(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    changes = {"name": "Bob", "everyday_address": "thief@mail.example"}

    admin_client.post(path_to(f"people/{bob.pk}/edit/"), changes)

    bob.refresh_from_db()
    assert bob.everyday_address == ""


def test_another_everyday_address_waits_for_the_owner(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    asked = {"address": "new@mail.example", "reason": "Changed provider"}

    assert (
        "after 24 hours" in admin_client.get(path_to(f"people/{bob.pk}/address/")).text
    )
    page = admin_client.post(path_to(f"people/{bob.pk}/address/"), asked, follow=True)
    queue = admin_client.get(path_to("people/recovery/"))

    assert "have been notified" in page.text
    assert "New everyday address: new@mail.example" in page.text
    assert "Changed provider" in queue.text
    assert f'"postern-under">{bob.address}</span>' in queue.text
    assert "waits for a second person" in admin_client.get(path_to()).text
    change = bob.address_changes.get()
    admin_client.post(
        path_to(f"people/recovery/address/{change.pk}/stop/"), {"reason": "A mistake"}
    )
    assert "No change is waiting" in admin_client.get(path_to("people/recovery/")).text


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"address": "", "reason": "x"}, "Enter the new everyday email address"),
        ({"address": "new@mail.example", "reason": ""}, "Enter a reason"),
        (
            {"address": "bob@northfield.secure.example", "reason": "x"},
            "outside the community",
        ),
    ],
)
def test_another_everyday_address_asked_for_wrongly(
    admin_client: Client, path_to: Path, bob: Person, asked: dict[str, str], says: str
) -> None:
    assert says in admin_client.post(path_to(f"people/{bob.pk}/address/"), asked).text
    assert not bob.address_changes.exists()


def test_the_address_of_an_account_that_nobody_used_counts_at_once(
    admin_client: Client, path_to: Path
) -> None:
    admin_client.post(path_to("people/add/"), NEW)
    jo = Person.objects.get(address="jo@northfield.secure.example")

    asked = {"address": "jo.field@mail.example", "reason": "Mistyped"}
    admin_client.post(path_to(f"people/{jo.pk}/address/"), asked)

    jo.refresh_from_db()
    assert jo.everyday_address == "jo.field@mail.example"


def test_what_waits_next_door_is_not_found(
    admin_client: Client, path_to: Path, charlie: Person, alice: Person
) -> None:
    change = charlie.address_changes.create(
        new="x@y.example", requested_by_name="x", effective_at=timezone.now()
    )

    page = admin_client.get(path_to(f"people/recovery/address/{change.pk}/agree/"))

    assert page.status_code == 404


@pytest.mark.parametrize("way", ["link", "second-factor"])
def test_nobody_takes_over_the_administrator_of_a_neighbour(
    admin_client: Client, path_to: Path, bob: Person, harbour: Organisation, way: str
) -> None:
    give_app(bob)
    bob.everyday_address = "bob@mail.example"
    bob.save()
    OrganisationRole.objects.create(
        person=bob, organisation=harbour, role=RoleName.ADMINISTRATOR
    )

    page = admin_client.post(path_to(f"people/{bob.pk}/{way}/"), {"reason": "x"})

    assert "also administers Harbour Chambers" in page.content.decode()
    assert Authenticator.objects.filter(user=bob).exists()
    assert Person.objects.get(pk=bob.pk).has_usable_password()


def test_suspend_for_a_reason_and_resume(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    without = admin_client.post(path_to(f"people/{bob.pk}/suspend/"), {"reason": ""})
    assert "Enter a reason" in without.content.decode()

    admin_client.post(path_to(f"people/{bob.pk}/suspend/"), {"reason": "Left"})
    bob.refresh_from_db()
    assert not bob.is_active

    admin_client.post(path_to(f"people/{bob.pk}/resume/"))
    bob.refresh_from_db()
    assert bob.is_active


@pytest.mark.parametrize("act", ["suspend", "link", "second-factor"])
def test_nobody_does_that_to_themselves(
    admin_client: Client, path_to: Path, alice: Person, act: str
) -> None:
    page = admin_client.post(path_to(f"people/{alice.pk}/{act}/"), {"reason": "x"})

    assert "There is a problem" in page.content.decode()
    alice.refresh_from_db()
    assert alice.is_active
    assert alice.has_usable_password()


def test_a_link_to_sign_in_ends_the_password_and_every_session(
    admin_client: Client, path_to: Path, bob: Person, client: Client
) -> None:
    bob.everyday_address = "bob@mail.example"
    bob.save()
    other = Client()
    other.force_login(bob, "allauth.account.auth_backends.AuthenticationBackend")
    assert other.get("/account/").status_code == 200

    admin_client.post(path_to(f"people/{bob.pk}/link/"))
    jobs.run_queued()

    bob.refresh_from_db()
    assert not bob.has_usable_password()
    assert other.get("/account/").status_code == 302
    assert [m.to for m in mail.outbox] == [["bob@mail.example"]]
    assert Entry.objects.filter(event="person.password_ended").exists()


def test_a_link_needs_somewhere_to_go(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    page = admin_client.post(path_to(f"people/{bob.pk}/link/"))

    assert "has no everyday address" in page.content.decode()
    bob.refresh_from_db()
    assert bob.has_usable_password()


def test_a_page_does_not_offer_a_link_that_can_go_nowhere(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    page = admin_client.get(path_to(f"people/{bob.pk}/")).content.decode()

    assert "Send a link to sign in" not in page
    assert "add an everyday address first" in page


def test_who_reads_mail_in_a_server_gets_the_link_there(
    signed_in: SignIn, firm: Organisation
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    tom = factories.make_person("tom@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    client = signed_in(jane, second_factor=True)
    new = {"name": "Una", "address": "una", "sends_link": "on"}

    client.post(f"/organisation/{firm.pk}/people/{tom.pk}/link/")
    client.post(f"/organisation/{firm.pk}/people/add/", new)
    jobs.run_queued()

    una = "una@firm.example.secure.example"
    assert [m.to for m in mail.outbox] == [[tom.address], [una]]


def test_people_out_of_the_directory_are_found(
    admin_client: Client, path_to: Path, alice: Person, bob: Person
) -> None:
    people.edit(bob, is_ex_directory=True, by=alice)

    rows = admin_client.get(path_to("people/?status=ex-directory")).context["page"].rows

    assert rows == [bob]


def test_reset_the_second_factor(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    bob.everyday_address = "bob@mail.example"
    bob.save()
    give_app(bob)

    admin_client.post(
        path_to(f"people/{bob.pk}/second-factor/"), {"reason": "Lost the phone"}
    )

    assert not Authenticator.objects.filter(user=bob).exists()
    entry = Entry.objects.get(event="person.second_factor_reset")
    reset = bob.factor_resets.get()
    assert entry.detail == {"reason": "Lost the phone", "reset": reset.pk}
    assert {"bob@mail.example", bob.address} <= deliver_notices()


def test_give_and_take_the_administrator_role(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    held = OrganisationRole.objects.filter(person=bob, role=RoleName.ADMINISTRATOR)

    admin_client.post(path_to(f"people/{bob.pk}/role/"))
    assert held.exists()

    admin_client.post(path_to(f"people/{bob.pk}/role/"))
    assert not held.exists()


def test_the_only_administrator_keeps_the_role(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    page = admin_client.post(path_to(f"people/{alice.pk}/role/"))

    assert "only administrator" in page.content.decode()


def test_who_gives_the_role_away_leaves_the_pages(
    admin_client: Client, path_to: Path, alice: Person, bob: Person
) -> None:
    factories.make_administrator(bob)

    response = admin_client.post(path_to(f"people/{alice.pk}/role/"))

    assert response["Location"] == "/organisation/"


def test_overview_says_what_needs_attention(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    page = admin_client.get(path_to()).content.decode()

    assert "only one administrator" in page
    assert "signs in with a password alone" in page


@pytest.mark.parametrize(
    "switch",
    ["security/", "lists/{}/switch/", "mailboxes/{}/switch/", "people/{}/role/"],
)
def test_a_switch_pressed_twice_is_switched_once(
    admin_client: Client,
    path_to: Path,
    switch: str,
    bob: Person,
    listing: Mailbox,
    duty: DistributionList,
) -> None:
    about = {"lists": duty, "mailboxes": listing, "people": bob}.get(
        switch.partition("/")[0]
    )
    path = path_to(switch.format(about.pk if about else ""))
    pressed = {"was": _state_shown(admin_client, path), "reason": "Not needed"}

    admin_client.post(path, pressed)
    admin_client.post(path, pressed)

    assert _state_shown(admin_client, path) != pressed["was"]


def _state_shown(admin_client: Client, path: str) -> str:
    page = admin_client.get(path).content.decode()
    return re.findall(r'name="was" value="(\w+)"', page)[0]
