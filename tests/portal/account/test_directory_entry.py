from __future__ import annotations

import pytest
from django.test import Client
from django_q.models import OrmQ

from engine.registry import directory
from engine.registry.models import Person
from tests.portal.conftest import SignIn

REQUEST = "/account/directory-sign-in/"


def test_a_person_changes_what_others_find(
    signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    answers = {"job_title": "Usher", "phone": "020 7946 0018", "town": "Hull"}

    signed_in(bob).post("/account/entry/", answers)

    (entry,) = directory.search("usher", viewer=charlie).entries
    assert (entry.id, entry.phone, entry.town) == (bob.pk, "020 7946 0018", "Hull")


def test_a_telephone_number_that_is_none_is_refused(
    signed_in: SignIn, bob: Person
) -> None:
    page = signed_in(bob).post("/account/entry/", {"phone": "call me"})

    assert "Enter a telephone number" in page.content.decode()


@pytest.mark.parametrize("typed", ["bob@northfield.secure.example", "x@y.example"])
def test_the_answer_to_a_request_is_the_same_for_everybody(
    client: Client, bob: Person, typed: str
) -> None:
    page = client.post(REQUEST, {"email": typed})

    assert "If that address may have a directory sign-in" in page.content.decode()
    assert OrmQ.objects.count() == 1


def test_requests_for_one_address_are_slowed_down(client: Client, db: None) -> None:
    for _ in range(3):
        client.post(REQUEST, {"email": "jane@firm.example"})

    assert client.post(REQUEST, {"email": "jane@firm.example"}).status_code == 429
    assert OrmQ.objects.count() == 3
