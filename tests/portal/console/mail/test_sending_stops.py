"""Stopping a sender from each page, and where a stop that stands is shown."""

from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.actions import sending_stops
from engine.registry.models import (
    Connection,
    Person,
    RoleName,
    SendingStop,
    StopKind,
)
from tests import factories
from tests.portal.conftest import SignIn

PAGE = "/admin/sending-stops/"


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


def test_a_person_is_stopped_from_their_page_and_may_go_on(
    staff_client: Client, bob: Person
) -> None:
    own = f"/admin/people/{bob.pk}/"
    asked = f"{PAGE}person/{bob.pk}/"
    assert asked in staff_client.get(own).content.decode()
    assert "Nothing is lost" in staff_client.get(asked).content.decode()

    done = staff_client.post(asked, {"reason": "Sends spam"}, follow=True)

    page = done.content.decode()
    assert done.redirect_chain[0][0] == own
    assert "Sending is stopped" in page
    assert "Sends spam" in page
    stop = SendingStop.objects.get()
    assert f"{PAGE}{stop.pk}/lift/" in page
    staff_client.post(f"{PAGE}{stop.pk}/lift/", {"reason": "Password changed"})
    assert "Sending is stopped" not in staff_client.get(own).content.decode()


def test_a_connection_and_its_organisation_show_the_stop(
    staff_client: Client, firm_connection: Connection
) -> None:
    owner = firm_connection.organisation_id
    pages = [
        f"/admin/organisations/{owner}/connections/{firm_connection.pk}/",
        f"/admin/organisations/{owner}/",
        "/admin/health/",
        PAGE,
    ]
    asked = f"{PAGE}connection/{firm_connection.pk}/"
    assert asked in staff_client.get(pages[0]).content.decode()

    staff_client.post(asked, {"reason": "In a loop"})

    for page in pages:
        assert "In a loop" in staff_client.get(page).content.decode(), page
    assert "Senders stopped" in staff_client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("bob@northfield.secure.example", StopKind.PERSON),
        ("program@northfield.secure.example", StopKind.ADDRESS),
        ("northfield.secure.example", StopKind.ORGANISATION),
    ],
)
def test_a_sender_is_stopped_by_name(
    staff_client: Client, bob: Person, who: str, kind: StopKind
) -> None:
    staff_client.post(f"{PAGE}add/", {"who": who, "reason": "Spam"})

    assert SendingStop.objects.get().kind == kind


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"who": "", "reason": "x"}, "Enter the sender"),
        ({"who": "a@b.example", "reason": ""}, "Enter a reason"),
        ({"who": "a@b.example", "reason": "x"}, "of no organisation here"),
        ({"who": "nobody", "reason": "x"}, "No sender that can be stopped"),
    ],
)
def test_what_makes_no_sense_is_said_on_the_form(
    staff_client: Client, typed: dict[str, str], said: str
) -> None:
    assert said in staff_client.post(f"{PAGE}add/", typed).content.decode()
    assert not SendingStop.objects.exists()


def test_who_may_only_look_is_offered_nothing(
    signed_in: SignIn, bob: Person, auditor: Person
) -> None:
    stop = sending_stops.stop(bob, reason="Spam", by=None)
    client = signed_in(auditor, second_factor=True)

    page = client.get(PAGE).content.decode()

    assert bob.address in page
    assert f"{PAGE}{stop.pk}/lift/" not in page
    assert f"{PAGE}add/" not in page


@pytest.fixture
def auditor(db: None) -> Person:
    person = factories.make_person("ada@secure.example", name="Ada")
    factories.make_staff(person, RoleName.AUDITOR)
    return person


def test_the_page_asks_as_much_for_many_stops(
    staff_client: Client,
    bob: Person,
    alice: Person,
    django_assert_max_num_queries: object,
) -> None:
    for one in (bob, alice):
        sending_stops.stop(one, reason="Spam", by=None)
    staff_client.get(PAGE)

    with django_assert_max_num_queries(17):
        staff_client.get(PAGE)
