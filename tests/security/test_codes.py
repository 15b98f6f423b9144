"""A one-time code is valid once, in every place that accepts codes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from engine.registry.models import Person
from portal.account.second_factor import one_time_codes
from tests.factories import PASSWORD
from tests.portal.account.passkey import Passkey
from tests.portal.conftest import SECRET, SignIn, code_now, code_of, give_app

NOON = datetime(2026, 5, 4, 12, 0, 10, tzinfo=UTC)
LOGIN = "/account/login/"


def sign_in_with(code: str, person: Person) -> Client:
    """Signs in with password and code in a new browser."""
    client = Client()
    client.post(LOGIN, {"login": person.address, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": code})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("seconds", [1, 20, 31, 45, 59])
def test_a_code_signs_in_once(bob: Person, seconds: int) -> None:
    """Throughout the tolerance for clock drift: one step before and one after."""
    give_app(bob)
    with time_machine.travel(NOON, tick=False) as clock:
        code = code_now()
        assert is_in(sign_in_with(code, bob))

        clock.shift(timedelta(seconds=seconds))

        assert not is_in(sign_in_with(code, bob))


def test_whatever_became_of_the_cache(bob: Person) -> None:
    give_app(bob)
    with time_machine.travel(NOON, tick=False):
        assert is_in(sign_in_with(code_now(), bob))

        cache.clear()

        assert not is_in(sign_in_with(code_now(), bob))


def test_an_earlier_code_opens_nothing_once_a_later_one_did(bob: Person) -> None:
    give_app(bob)
    with time_machine.travel(NOON, tick=False) as clock:
        earlier = code_now()
        clock.shift(timedelta(seconds=30))
        assert is_in(sign_in_with(code_now(), bob))

        assert not is_in(sign_in_with(earlier, bob))


def test_the_next_code_opens(bob: Person) -> None:
    give_app(bob)
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in_with(code_now(), bob)
        clock.shift(timedelta(seconds=30))

        assert is_in(sign_in_with(code_now(), bob))


def test_the_code_of_a_sign_in_confirms_nothing_later(
    signed_in: SignIn, vera: Person
) -> None:
    """A code read over someone's shoulder must be useless to the reader."""
    client = signed_in(vera)
    give_app(vera)
    with time_machine.travel(NOON, tick=False):
        sign_in_with(code_now(), vera)

        page = client.post(reverse("mfa_reauthenticate"), {"code": code_now()})

    assert page.status_code == 200
    assert "was used before" in page.content.decode()


def test_nor_the_code_of_a_confirmation_signs_in(
    signed_in: SignIn, vera: Person
) -> None:
    client = signed_in(vera)
    give_app(vera)
    with time_machine.travel(NOON, tick=False):
        assert client.post(reverse("mfa_reauthenticate"), {"code": code_now()})

        assert not is_in(sign_in_with(code_now(), vera))


def test_nor_the_code_that_set_the_app_up(
    transactional_db: None, signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)
    with time_machine.travel(NOON, tick=False):
        page = client.get(reverse("mfa_activate_totp"))
        code = code_of(page.context["form"].secret)
        client.post(reverse("mfa_activate_totp"), {"code": code})

        assert not is_in(sign_in_with(code, bob))


def test_a_recovery_code_opens_once(bob: Person) -> None:
    give_app(bob)
    code = RecoveryCodes.activate(bob).get_unused_codes()[0]
    assert is_in(sign_in_with(code, bob))

    assert not is_in(sign_in_with(code, bob))


def attempt_concurrently(attempt: Callable[[], bool], times: int) -> list[bool]:
    """Returns the results of simultaneous attempts, each in a thread of its own."""
    gate = threading.Barrier(times)
    answers: list[bool] = []

    def ask() -> None:
        try:
            gate.wait(10)
            answers.append(attempt())
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_several_that_show_it_at_once_one_gets_in(
    transactional_db: None, bob: Person
) -> None:
    give_app(bob)
    code = code_now()

    answers = attempt_concurrently(lambda: one_time_codes.accept(SECRET, code), 4)

    assert sorted(answers) == [False, False, False, True]


def test_a_secret_of_another_keeps_its_own_count(db: None) -> None:
    assert one_time_codes.claim("one", 5)
    assert one_time_codes.claim("another", 5)
    assert not one_time_codes.claim("one", 5)


def test_a_passkey_whose_count_goes_back_is_a_copy(bob: Person) -> None:
    passkey = Passkey(bob)

    assert passkey.sign_in(Client(), count=5)
    assert passkey.sign_in(Client(), count=6)
    assert not passkey.sign_in(Client(), count=6)
    assert not passkey.sign_in(Client(), count=2)
    assert not passkey.sign_in(Client(), count=0)
    assert passkey.sign_in(Client(), count=7)


def test_a_passkey_that_counts_nothing_goes_on(bob: Person) -> None:
    passkey = Passkey(bob)

    assert passkey.sign_in(Client(), count=0)
    assert passkey.sign_in(Client(), count=0)
