"""Everyone needs a second factor: staff immediately, members after a grace period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client

from engine.registry import permissions
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Person
from tests import factories
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, code_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SET_UP = "/account/second-factor/"
HOME = "/account/"
SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


@pytest.fixture
def administrators_only() -> Iterator[None]:
    settings.POSTERN.second_factor = "administrators"
    yield
    settings.POSTERN.second_factor = "everybody"


def sign_in(person: Person) -> Client:
    client = Client()
    client.post("/account/login/", {"login": person.address, "password": PASSWORD})
    return client


def test_a_member_is_reminded_while_there_is_time(bob: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        client = sign_in(bob)

        page = client.get(HOME).content.decode()

    assert "Set up a second factor in “Account” by 18 May 2026" in page
    assert "Set one up by 18 May 2026" in page


def test_and_then_asked_for_it(bob: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(bob)
        # To the end of the 18th, the last day.
        clock.move_to(datetime(2026, 5, 18, 22, 59, 59, tzinfo=UTC))
        assert sign_in(bob).get(HOME).status_code == 200
        clock.shift(timedelta(seconds=1))

        page = sign_in(bob).get(HOME)

    assert page.status_code == 302
    assert page.url == SET_UP


def test_the_time_begins_with_the_first_sign_in_and_not_again(bob: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(bob)
        clock.shift(timedelta(days=10))
        sign_in(bob)

    bob.refresh_from_db()
    assert bob.first_signed_in_at == NOON


def test_who_has_one_is_not_reminded(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob, second_factor=True)

    assert "Set one up by" not in client.get(HOME).content.decode()


def test_who_never_comes_to_the_website_keeps_their_mail(bob: Person) -> None:
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    with time_machine.travel(NOON + timedelta(days=1000), tick=False):
        assert not permissions.needs_second_factor(bob)
        assert authentication.authenticate_person(bob.address, SECRET) == bob


def test_an_organisation_may_ask_at_once(signed_in: SignIn, bob: Person) -> None:
    bob.organisation.mfa_required = True
    bob.organisation.save()

    assert signed_in(bob).get(HOME).url == SET_UP


def test_but_not_for_less_than_the_community(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    """A member needs one even if the organisation does not require it."""
    page = signed_in(alice, second_factor=True).get(
        f"/organisation/{alice.organisation_id}/security/"
    )
    assert "everyone else 14 days after they first sign in" in page.content.decode()

    assert not bob.organisation.mfa_required
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(bob)
        clock.shift(timedelta(days=15))
        bob.refresh_from_db()
        assert permissions.needs_second_factor(bob)


def test_the_last_one_stays_once_the_time_is_over(
    signed_in: SignIn, bob: Person
) -> None:
    bob.first_signed_in_at = datetime(2026, 1, 1, tzinfo=UTC)
    bob.save()
    client = signed_in(bob, second_factor=True)

    client.post("/account/second-factor/totp/deactivate/")

    assert Authenticator.objects.filter(user=bob).exists()


def test_a_community_may_leave_it_to_members(
    administrators_only: None, alice: Person, bob: Person
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(bob)
        clock.shift(timedelta(days=1000))
        bob.refresh_from_db()

        assert not permissions.needs_second_factor(bob)
        assert permissions.needs_second_factor(alice)


def test_a_session_that_was_opened_without_it_ends_when_one_is_added(
    transactional_db: None, signed_in: SignIn, bob: Person
) -> None:
    """Signs out an intruder who has only the password."""
    intruder = sign_in(bob)
    assert intruder.get(HOME).status_code == 200
    own = signed_in(bob)
    page = own.get("/account/second-factor/totp/activate/")
    code = code_of(page.context["form"].secret)
    own.post("/account/second-factor/totp/activate/", {"code": code})

    assert own.get(HOME).status_code == 200
    assert intruder.get(HOME).status_code == 302
