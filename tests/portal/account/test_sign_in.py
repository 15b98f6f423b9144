from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from engine.registry.models import (
    Domain,
    Organisation,
    OrganisationStatus,
    Person,
)
from portal.account.forms import PasswordResetForm
from tests import factories
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, code_now, give_app

LOGIN = "/account/login/"


def sign_in(client: Client, person: Person, password: str = PASSWORD):
    return client.post(LOGIN, {"login": person.address, "password": password})


def test_member_signs_in_with_address_and_password(client: Client, bob: Person) -> None:
    response = sign_in(client, bob)

    assert response.status_code == 302
    assert response.url == reverse("start")
    assert client.get(reverse("account:home")).status_code == 200


def test_address_is_found_however_it_is_typed(client: Client, bob: Person) -> None:
    typed = f"  {bob.address.upper()} "

    response = client.post(LOGIN, {"login": typed, "password": PASSWORD})

    assert response.status_code == 302


@pytest.mark.parametrize("typed", ["jane@firm.example", "Jane@Firm.Example"])
def test_a_person_with_a_server_signs_in_with_the_address_used_there(
    client: Client, firm: Organisation, typed: str
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    response = client.post(LOGIN, {"login": typed, "password": PASSWORD})

    assert response.url == reverse("start")
    assert client.session["_auth_user_id"] == str(jane.pk)


def test_a_domain_that_is_not_proved_is_nobodys_other_form(
    client: Client, firm: Organisation
) -> None:
    factories.make_person("jane@firm.example.secure.example", firm)
    Domain.objects.update(verified_at=None)

    response = client.post(LOGIN, {"login": "jane@firm.example", "password": PASSWORD})

    assert response.status_code == 200


def test_a_person_with_a_server_resets_the_password_with_the_address_used_there(
    firm: Organisation,
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    form = PasswordResetForm({"email": "jane@firm.example"})

    assert form.is_valid()
    assert form.cleaned_data["email"] == jane.address


def test_wrong_password_and_unknown_address_read_the_same(
    client: Client, bob: Person
) -> None:
    wrong = sign_in(client, bob, "not the password")
    unknown = client.post(
        LOGIN,
        {
            "login": "nobody@northfield.secure.example",
            "password": "not the password",
        },
    )

    def text(response) -> list[str]:
        return [str(error) for error in response.context["form"].non_field_errors()]

    assert text(wrong) == text(unknown)
    assert text(wrong) == [
        "The address or the password is wrong. Check both and try again."
    ]


@pytest.mark.parametrize("typed", ["bob@gmail.example", "bob", "bob@firm.example"])
def test_an_everyday_address_is_answered_alike_for_members_and_strangers(
    client: Client, bob: Person, firm: Organisation, typed: str
) -> None:
    page = client.post(LOGIN, {"login": typed, "password": PASSWORD})

    assert "secure address ends in .secure.example" in page.content.decode()


@pytest.mark.parametrize("typed", ["bob@northfield.secure.example", "x@secure.example"])
def test_a_secure_address_gets_no_hint_about_everyday_ones(
    client: Client, bob: Person, typed: str
) -> None:
    page = client.post(LOGIN, {"login": typed, "password": "not the password"})

    assert "everyday address" not in page.content.decode()


def test_second_factor_is_asked_where_there_is_one(client: Client, bob: Person) -> None:
    give_app(bob)

    response = sign_in(client, bob)

    assert response.url == reverse("mfa_authenticate")
    assert client.get(reverse("account:home")).status_code == 302
    response = client.post(response.url, {"code": f"{code_now()[:3]} {code_now()[3:]}"})
    assert response.status_code == 302
    assert client.get(reverse("account:home")).status_code == 200


def test_wrong_code_lets_nobody_in(client: Client, bob: Person) -> None:
    give_app(bob)
    sign_in(client, bob)

    response = client.post(reverse("mfa_authenticate"), {"code": "000000"})

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("whose", ["person", "organisation"])
def test_suspended_cannot_sign_in(client: Client, bob: Person, whose: str) -> None:
    if whose == "person":
        bob.is_active = False
        bob.save()
    else:
        bob.organisation.status = OrganisationStatus.SUSPENDED
        bob.organisation.save()

    response = sign_in(client, bob)

    assert response.status_code == 302
    assert response.url == reverse("account_inactive")
    assert "_auth_user_id" not in client.session


def test_sign_up_is_closed_and_leads_to_the_application(client: Client) -> None:
    response = client.get("/account/signup/")

    assert response.status_code == 302
    assert response.url == "/apply/"


def test_sign_out_takes_a_post(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)

    client.get(reverse("account_logout"))
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session
