"""Web sessions end by themselves: when idle, and after a working day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from engine.registry.actions import people, roles
from engine.registry.models import Person, RoleName
from portal.sessions.models import WebSession
from tests.factories import PASSWORD
from tests.portal.conftest import SignIn, code_now, give_app

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOME = "/account/"


def is_open(client: Client) -> bool:
    return client.get(HOME).status_code == 200


@pytest.mark.parametrize(("minutes", "goes_on"), [(119, True), (121, False)])
def test_an_unused_one_ends(
    signed_in: SignIn, bob: Person, minutes: int, goes_on: bool
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(bob)
        clock.shift(timedelta(minutes=minutes))

        assert is_open(client) is goes_on


@pytest.mark.parametrize(("minutes", "goes_on"), [(29, True), (31, False)])
def test_one_of_staff_ends_sooner(
    signed_in: SignIn, vera: Person, minutes: int, goes_on: bool
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(vera, second_factor=True)
        clock.shift(timedelta(minutes=minutes))

        assert is_open(client) is goes_on


def test_a_role_of_staff_that_is_given_shortens_it(
    signed_in: SignIn, bob: Person, olive: Person
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(bob, second_factor=True)
        roles.give_staff(bob, RoleName.AUDITOR, by=olive)
        clock.shift(timedelta(minutes=5))
        assert is_open(client)

        clock.shift(timedelta(minutes=31))

        assert not is_open(client)


def test_one_that_is_used_ends_after_its_lifetime(
    signed_in: SignIn, bob: Person
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(bob)
        for _ in range(12 * 2 - 1):
            clock.shift(timedelta(minutes=30))
            assert is_open(client)

        clock.shift(timedelta(minutes=31))

        assert not is_open(client)


def test_the_community_sets_it(signed_in: SignIn, bob: Person, settings) -> None:
    settings.POSTERN.session_idle_minutes = 10
    try:
        with time_machine.travel(NOON, tick=False) as clock:
            client = signed_in(bob)
            clock.shift(timedelta(minutes=11))

            assert not is_open(client)
    finally:
        settings.POSTERN.session_idle_minutes = 120


def test_what_a_page_of_the_admin_asks_by_itself_keeps_none_alive(
    signed_in: SignIn, olive: Person
) -> None:
    ping = "/admin/editing-sessions/ping/home/page/1/1/"
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(olive, second_factor=True)
        for _ in range(4):
            clock.shift(timedelta(minutes=8))
            client.post(ping)

        assert not is_open(client)


def test_use_is_written_down_once_a_minute(signed_in: SignIn, bob: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(bob)
        client.get(HOME)
        before = WebSession.objects.get().seen_at
        clock.shift(timedelta(seconds=59))
        client.get(HOME)
        assert WebSession.objects.get().seen_at == before

        clock.shift(timedelta(seconds=2))
        client.get(HOME)

        assert WebSession.objects.get().seen_at > before


def test_between_password_and_code_a_suspension_counts(bob: Person) -> None:
    give_app(bob)
    client = Client()
    client.post("/account/login/", {"login": bob.address, "password": PASSWORD})
    people.suspend(bob, reason="lost", by=None)
    people.resume(bob, by=None)

    client.post("/account/second-factor/authenticate/", {"code": code_now()})

    assert "_auth_user_id" not in client.session
