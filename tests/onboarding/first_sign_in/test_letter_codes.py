from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from engine.audit.models import Entry
from engine.registry.actions import people, recovery
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from onboarding.first_sign_in import letter_codes
from onboarding.models import Link
from tests.portal.conftest import SignIn, signed_in
from tests.portal.webmail.conftest import store_message
from tests.security.intruder import deliver_notices

__all__ = ["signed_in"]

PAGE = "/apply/first-sign-in/"
PASSWORD = "three other random words"


@pytest.fixture
def jo(northfield: Organisation, alice: Person) -> Person:
    """A new person without an everyday address."""
    address = "jo@northfield.secure.example"
    return people.add(northfield, address=address, name="Jo", by=alice)


def letter_of(person: Person) -> str:
    return f"/organisation/{person.organisation_id}/people/{person.pk}/letter/"


def test_an_administrator_prints_a_letter_and_the_others_hear(
    signed_in: SignIn, jo: Person, alice: Person, hugh: Person, olive: Person
) -> None:
    Person.objects.filter(pk=olive.pk).update(everyday_address="olive@home.example")
    office = signed_in(alice, second_factor=True)
    assert "Print a letter" in office.get(letter_of(jo)[: -len("letter/")]).text

    answer = office.post(letter_of(jo))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "no-store" in answer["Cache-Control"]
    assert Entry.objects.filter(event="person.first_letter_printed").count() == 1
    assert "olive@home.example" in deliver_notices()


def test_its_code_opens_the_account_once(
    client: Client, jo: Person, alice: Person
) -> None:
    code = letter_codes.issue(jo, by=alice)
    typed = {"address": jo.address, "code": code.upper().replace("-", " ")}

    page = client.post(PAGE, typed, follow=True)
    client.post(page.request["PATH_INFO"], {"password": PASSWORD})

    jo.refresh_from_db()
    assert jo.check_password(PASSWORD)
    assert not jo.is_mail_shut
    assert "already been set" in client.post(PAGE, typed).text


@pytest.mark.parametrize(
    "typed",
    [
        {"address": "bob@northfield.secure.example"},
        {"address": "no address"},
        {"code": "k7qd-3m9x-2222-3333-4444-5555-6666"},
    ],
)
def test_what_does_not_belong_together_opens_nothing(
    client: Client, jo: Person, alice: Person, bob: Person, typed: dict[str, str]
) -> None:
    code = letter_codes.issue(jo, by=alice)

    page = client.post(PAGE, {"address": jo.address, "code": code} | typed)

    assert "do not belong together" in page.text


def test_another_letter_ends_the_one_before(
    client: Client, jo: Person, alice: Person
) -> None:
    first = letter_codes.issue(jo, by=alice)
    letter_codes.issue(jo, by=alice)

    page = client.post(PAGE, {"address": jo.address, "code": first})

    assert "has expired" in page.text
    assert Link.objects.filter(used_at=None).count() == 1


@pytest.mark.parametrize(
    "printed", ["2026-03-15T09:00", "2026-03-15T23:59", "2026-10-11T00:00"]
)
def test_the_code_works_until_the_day_that_the_letter_names_is_over(
    jo: Person, alice: Person, printed: str
) -> None:
    london = ZoneInfo("Europe/London")
    made = datetime.fromisoformat(printed).replace(tzinfo=london)
    with time_machine.travel(made, tick=False):
        code = letter_codes.issue(jo, by=alice)

    named = letter_codes.last_day(jo)

    assert named == made.date() + timedelta(days=14)
    ends = datetime.combine(named + timedelta(days=1), datetime.min.time(), london)
    with time_machine.travel(ends, tick=False), pytest.raises(PolicyError):
        letter_codes.redeem(jo.address, code)
    with time_machine.travel(ends - timedelta(seconds=1), tick=False):
        assert letter_codes.redeem(jo.address, code) == jo


def test_no_letter_for_an_account_in_use_or_with_an_address(
    jo: Person, alice: Person, bob: Person
) -> None:
    with pytest.raises(PolicyError, match="already been set"):
        letter_codes.issue(bob, by=alice)
    store_message(jo.mailbox)
    with pytest.raises(PolicyError, match="used already"):
        letter_codes.issue(jo, by=alice)


def test_no_letter_where_a_link_can_be_sent(jo: Person, alice: Person) -> None:
    asked = {"address": "jo@home.example", "reason": "Told me"}
    recovery.request_address_change(jo, **asked, by=alice)

    with pytest.raises(PolicyError, match="Send a link"):
        letter_codes.issue(jo, by=alice)


def test_where_mail_has_arrived_meanwhile_the_mailbox_is_shut(
    client: Client, jo: Person, alice: Person
) -> None:
    code = letter_codes.issue(jo, by=alice)
    store_message(jo.mailbox)

    client.post(PAGE, {"address": jo.address, "code": code})

    jo.refresh_from_db()
    assert jo.is_mail_shut


def test_the_neighbour_prints_no_letter(
    signed_in: SignIn, jo: Person, charlie: Person
) -> None:
    answer = signed_in(charlie, second_factor=True).post(letter_of(jo))

    assert answer.status_code in {403, 404}
    assert not Link.objects.exists()
