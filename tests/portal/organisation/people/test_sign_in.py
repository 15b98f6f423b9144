from __future__ import annotations

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from onboarding.models import Notice
from tests import factories
from tests.portal.conftest import SignIn

BUTTON = "Give a sign-in"


@pytest.fixture
def ada(firm: Organisation) -> Person:
    """A person of the firm, whose mail is on the firm's own server."""
    return factories.make_person(
        "ada@firm.example.secure.example", firm, name="Ada Byron", password=None
    )


@pytest.fixture
def firm_admin_client(signed_in: SignIn, firm: Organisation) -> Client:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    return signed_in(jane, second_factor=True)


def page_of(person: Person, rest: str = "") -> str:
    return f"/organisation/{person.organisation_id}/people/{person.pk}/{rest}"


def test_a_person_of_an_organisation_with_a_server_is_given_a_sign_in(
    firm_admin_client: Client, ada: Person
) -> None:
    assert BUTTON in firm_admin_client.get(page_of(ada)).text
    assert ada.address in firm_admin_client.get(page_of(ada, "sign-in/")).text

    answer = firm_admin_client.post(page_of(ada, "sign-in/"), follow=True)

    assert "A link is on its way to Ada Byron." in answer.text
    assert Notice.objects.get().address == ada.address
    assert Entry.objects.filter(event="person.sign_in_given").count() == 1


def test_whoever_has_a_password_is_offered_a_new_one_instead(
    firm_admin_client: Client, ada: Person
) -> None:
    ada.set_password(factories.PASSWORD)
    ada.save()

    assert BUTTON not in firm_admin_client.get(page_of(ada)).text
    assert "already been set" in firm_admin_client.post(page_of(ada, "sign-in/")).text
    assert not Notice.objects.exists()


def test_a_webmail_user_is_not_offered_it(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    admin_client = signed_in(alice, second_factor=True)

    assert BUTTON not in admin_client.get(page_of(bob)).text


def test_the_neighbour_gives_nobody_a_sign_in(
    signed_in: SignIn, ada: Person, alice: Person
) -> None:
    admin_client = signed_in(alice, second_factor=True)

    assert admin_client.post(page_of(ada, "sign-in/")).status_code in {403, 404}
    assert not Notice.objects.exists()
