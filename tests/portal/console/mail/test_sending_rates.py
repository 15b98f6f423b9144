"""The sending rates page: large and deferred senders, and allowances."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.queue.models import SendingCount
from engine.queue.sending_rates.rate_limits import SPANS
from engine.registry.models import Allowance, Connection, Person, SenderKind
from tests import factories
from tests.portal.conftest import SignIn

PAGE = "/admin/sending-rates/"


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


def add_count(sender: str, **over: int) -> SendingCount:
    day = int(time.time() // SPANS["day"] * SPANS["day"])
    said = {"messages": 1200, "recipients": 3400, "deferred": 0} | over
    return SendingCount.objects.create(sender=sender, span="day", starts=day, **said)


def test_it_shows_who_sent_most_and_who_was_asked_to_wait(
    staff_client: Client, bob: Person, firm_connection: Connection
) -> None:
    add_count(f"person:{bob.pk}")
    add_count(f"connection:{firm_connection.pk}", deferred=312)
    add_count("key:999999")

    page = staff_client.get(PAGE).content.decode()

    assert "bob@northfield.secure.example" in page
    assert "Firm Solicitors" in page
    assert "312 times" in page
    assert "1,200" in page
    assert "deleted" in page


def test_an_operator_gives_an_allowance_and_ends_it(
    staff_client: Client, northfield: object, bob: Person
) -> None:
    typed = {"who": "northfield.secure.example", "factor": 20, "reason": "Mailing"}

    done = staff_client.post(f"{PAGE}give/", typed, follow=True).content.decode()

    assert "The allowance is given" in done
    assert "Mailing" in done
    allowance = Allowance.objects.get()
    assert (allowance.kind, allowance.subject_id) == (
        SenderKind.ORGANISATION,
        bob.organisation_id,
    )
    ended = staff_client.post(
        f"{PAGE}{allowance.pk}/end/", follow=True
    ).content.decode()
    assert "The allowance has ended" in ended
    assert not Allowance.objects.exists()
    assert Entry.objects.filter(event="allowance.ended").exists()


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"who": "nobody@nowhere.example"}, "No sender is called"),
        ({"who": ""}, "Enter the sender"),
        ({"factor": "1"}, "greater than or equal to 2"),
        ({"reason": ""}, "Enter a reason"),
        ({"until": "2020-01-01T10:00"}, "must be in the future"),
    ],
)
def test_what_makes_no_sense_is_said_on_the_form(
    staff_client: Client, bob: Person, over: dict[str, str], said: str
) -> None:
    typed = {"who": bob.address, "factor": "5", "reason": "Lists"} | over

    page = staff_client.post(f"{PAGE}give/", typed).content.decode()

    assert said in page
    assert not Allowance.objects.exists()


def test_it_asks_few_questions(
    staff_client: Client,
    bob: Person,
    alice: Person,
    django_assert_max_num_queries: object,
) -> None:
    for one in (bob, alice):
        add_count(f"person:{one.pk}", deferred=1)
        Allowance.objects.create(
            kind="person", subject_id=one.pk, factor=2, reason="Lists"
        )
    factories.make_list("all@northfield.secure.example", bob.organisation)
    staff_client.get(PAGE)

    with django_assert_max_num_queries(23):
        staff_client.get(PAGE)
