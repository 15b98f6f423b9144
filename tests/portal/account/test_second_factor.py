from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.account.second_factor import policies
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, code_now, code_of, give_app

SET_UP = "/account/second-factor/"
ELSEWHERE = ["/admin/", "/organisation/", "/account/", "/start/", "/", "/help/"]
DOORS_OF_WAGTAIL = [
    "/admin/login/",
    "/admin/password_reset/",
    "/admin/password_reset/confirm/MQ/set-password/",
    "/admin/account/",
    "/admin/users/",
    "/admin/pages/",
    "/admin/reports/locked/",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_staff_without_one_reach_nothing_but_its_set_up(
    signed_in: SignIn, vera: Person, path: str
) -> None:
    client = signed_in(vera)

    response = client.get(path)

    assert response.status_code == 302
    assert response.url == SET_UP
    assert client.get(SET_UP).status_code == 200


@pytest.mark.parametrize("path", ELSEWHERE + DOORS_OF_WAGTAIL)
def test_staff_who_did_not_show_it_are_asked_for_it(
    signed_in: SignIn, vera: Person, path: str
) -> None:
    client = signed_in(vera)
    give_app(vera)

    response = client.get(path)

    assert response.status_code == 302
    assert response.url == reverse("mfa_reauthenticate")


def test_a_second_one_cannot_be_added_without_showing_the_first(
    signed_in: SignIn, vera: Person
) -> None:
    client = signed_in(vera)
    give_app(vera)

    for name in ("mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_index"):
        assert client.get(reverse(name)).url == reverse("mfa_reauthenticate")


def test_showing_it_later_opens_the_session(signed_in: SignIn, vera: Person) -> None:
    client = signed_in(vera)
    give_app(vera)

    client.post(reverse("mfa_reauthenticate"), {"code": code_now()})

    assert client.get(reverse("account:home")).status_code == 200


@pytest.mark.parametrize("path", DOORS_OF_WAGTAIL)
def test_wagtails_own_doors_let_nobody_in(client: Client, db: None, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 302
    followed = client.get(response.url, follow=True)
    ours = (reverse("account_login"), reverse("account_reset_password"))
    assert followed.request["PATH_INFO"] in ours


def test_wagtails_sign_in_form_is_not_there(client: Client, vera: Person) -> None:
    response = client.post(
        "/admin/login/", {"username": vera.address, "password": PASSWORD}
    )

    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


def test_administrator_needs_one_too(signed_in: SignIn, alice: Person) -> None:
    assert signed_in(alice).get("/organisation/").url == SET_UP


def test_member_does_not_unless_the_organisation_asks(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)
    assert client.get("/account/").status_code == 200

    bob.organisation.mfa_required = True
    bob.organisation.save()

    assert client.get("/account/").url == SET_UP


def test_superuser_has_no_way_round_it(signed_in: SignIn, bob: Person) -> None:
    bob.is_superuser = True
    bob.save()

    assert signed_in(bob).get("/admin/").url == SET_UP


def test_setting_up_an_app_opens_the_session(
    transactional_db: None, signed_in: SignIn, alice: Person
) -> None:
    client = signed_in(alice)
    page = client.get(reverse("mfa_activate_totp"))
    code = code_of(page.context["form"].secret)

    response = client.post(reverse("mfa_activate_totp"), {"code": code})

    assert response.url == reverse("mfa_view_recovery_codes")
    assert client.get(response.url).status_code == 200
    assert client.get(reverse("account:home")).status_code == 200
    assert Entry.objects.filter(event="person.second_factor_added").exists()


def test_secret_is_not_kept_in_the_clear(bob: Person) -> None:
    give_app(bob)

    kept = Authenticator.objects.get(user=bob).data["secret"]

    assert "JBSWY3DP" not in kept


def test_the_last_one_of_staff_stays(signed_in: SignIn, vera: Person) -> None:
    client = signed_in(vera, second_factor=True)

    client.post(reverse("mfa_deactivate_totp"))

    assert Authenticator.objects.filter(user=vera).exists()


def test_the_last_passkey_of_staff_stays(signed_in: SignIn, vera: Person) -> None:
    client = signed_in(vera, second_factor=True)
    Authenticator.objects.filter(user=vera).delete()
    passkey = Authenticator.objects.create(
        user=vera, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"}
    )

    client.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))

    assert Authenticator.objects.filter(pk=passkey.pk).exists()


def test_a_member_may_remove_it(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob, second_factor=True)

    client.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.filter(user=bob).exists()


def test_who_removes_their_own_and_needs_none_goes_on(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob, second_factor=True)

    client.post(reverse("mfa_deactivate_totp"))

    assert client.get("/account/").status_code == 200


def test_page_says_whether_one_is_needed(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    assert "requires one" not in client.get(SET_UP).content.decode()

    bob.organisation.mfa_required = True
    bob.organisation.save()

    assert "requires one" in client.get(SET_UP).content.decode()


def test_wrong_code_says_what_to_do(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    client.get(reverse("mfa_activate_totp"))

    page = client.post(reverse("mfa_activate_totp"), {"code": "000000"})

    assert "Enter the code that your app shows now" in page.content.decode()


def test_removed_in_another_session_it_closes_this_one(
    signed_in: SignIn, vera: Person
) -> None:
    client = signed_in(vera, second_factor=True)
    assert client.get("/account/").status_code == 200

    Authenticator.objects.filter(user=vera).delete()

    assert client.get("/account/").url == SET_UP


def test_a_password_does_not_stand_in_for_it(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob, second_factor=True)

    response = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    assert response.status_code == 302
    assert response.url == reverse("mfa_reauthenticate")


def test_the_last_factor_stays_with_who_needs_one(vera: Person, bob: Person) -> None:
    for person in (vera, bob):
        give_app(person)
    needed, other = [Authenticator.objects.get(user=person) for person in (vera, bob)]
    assert policies.can_remove_authenticator(other)
    assert not policies.can_remove_authenticator(needed)
    with pytest.raises(PolicyError, match="You need a second factor"):
        policies.check_can_remove_authenticator(needed)

    Authenticator.objects.create(
        user=vera, type=Authenticator.Type.RECOVERY_CODES, data={}
    )
    assert not policies.can_remove_authenticator(needed)

    Authenticator.objects.create(user=vera, type=Authenticator.Type.WEBAUTHN, data={})
    assert policies.can_remove_authenticator(needed)
