"""Failed sign-ins limit other unknown clients, never a known browser or network."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from engine.registry.actions import sessions
from engine.registry.models import Person
from portal.sessions import sign_in_attempts
from portal.sessions.known_browsers import COOKIE
from portal.sessions.models import SignIn
from tests.factories import PASSWORD
from tests.portal.conftest import code_now, give_app

LOGIN = "/account/login/"
HOME, ELSEWHERE, FURTHER = "192.0.2.7", "198.51.100.7", "203.0.113.7"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def browser(peer: str = ELSEWHERE) -> Client:
    return Client(REMOTE_ADDR=peer)


def sign_in(client: Client, address: str, password: str = PASSWORD):
    return client.post(LOGIN, {"login": address, "password": password})


def fail(client: Client, address: str, times: int):
    for _ in range(times):
        answer = sign_in(client, address, "not the password")
    return answer


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def signed_in_before(bob: Person, peer: str = HOME) -> Client:
    client = browser(peer)
    sign_in(client, bob.address)
    client.post("/account/logout/")
    assert not is_in(client)
    return client


def test_strangers_are_limited_at_one_address(bob: Person) -> None:
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)

    assert sign_in(browser(), bob.address).status_code == 429
    assert sign_in(browser(FURTHER), bob.address).status_code == 429


def test_a_browser_that_signed_in_before_is_not_shut_out(bob: Person) -> None:
    own = signed_in_before(bob)
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)

    # The laptop is on another network today.
    own.defaults["REMOTE_ADDR"] = FURTHER
    sign_in(own, bob.address)

    assert is_in(own)


def test_nor_a_network_that_did(bob: Person) -> None:
    signed_in_before(bob)
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)

    neighbour = browser("192.0.2.200")
    sign_in(neighbour, bob.address)

    assert is_in(neighbour)


def test_nor_where_strangers_share_that_network(bob: Person) -> None:
    """Failures from the same network do not use up the known browser's attempts."""
    own = signed_in_before(bob)
    for number in range(sign_in_attempts.PEER_LIMIT):
        fail(browser(HOME), f"nobody{number}@x.example", 1)
    assert fail(browser(HOME), "nobody@x.example", 1).status_code == 429

    sign_in(own, bob.address)

    assert is_in(own)


def test_nor_at_the_code(bob: Person) -> None:
    give_app(bob)
    own = browser(HOME)
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(own, bob.address)
        own.post(reverse("mfa_authenticate"), {"code": code_now()})
        own.post("/account/logout/")
        fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)
        clock.shift(timedelta(seconds=60))

        sign_in(own, bob.address)
        own.post(reverse("mfa_authenticate"), {"code": code_now()})

        assert is_in(own)


def test_wrong_codes_are_limited_like_passwords(bob: Person) -> None:
    give_app(bob)
    client = browser()
    sign_in(client, bob.address)
    path = reverse("mfa_authenticate")

    answers = [
        client.post(path, {"code": "000000"}).status_code
        for _ in range(sign_in_attempts.ADDRESS_LIMIT + 1)
    ]

    assert answers == [200] * sign_in_attempts.ADDRESS_LIMIT + [429]


def test_a_known_browser_has_a_limit_too(bob: Person) -> None:
    own = signed_in_before(bob)

    fail(own, bob.address, sign_in_attempts.KNOWN_LIMIT)

    assert sign_in(own, bob.address).status_code == 429


def test_which_shuts_out_nobody_else(bob: Person) -> None:
    fail(signed_in_before(bob), bob.address, sign_in_attempts.KNOWN_LIMIT)

    other = browser()
    sign_in(other, bob.address)

    assert is_in(other)


def test_one_persons_cookie_makes_no_other_known(alice: Person, bob: Person) -> None:
    own = signed_in_before(bob)
    fail(browser(), alice.address, sign_in_attempts.ADDRESS_LIMIT)

    own.defaults["REMOTE_ADDR"] = FURTHER

    assert sign_in(own, alice.address).status_code == 429


def test_a_cookie_that_we_did_not_sign_makes_nobody_known(bob: Person) -> None:
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)
    client = browser(FURTHER)

    client.cookies[COOKIE] = "eyIxIjpbImFiY2QiLDBdfQ:1:x"

    assert sign_in(client, bob.address).status_code == 429


def test_the_cookie_ends_with_the_sessions(bob: Person) -> None:
    own = signed_in_before(bob)
    sessions.end_sessions(bob, by=bob)
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)

    assert sign_in(own, bob.address).status_code == 429


def test_the_cookie_is_for_signing_in_alone_and_no_script_reads_it(bob: Person) -> None:
    cookie = signed_in_before(bob).cookies[COOKIE]

    assert cookie["httponly"]
    assert cookie["path"] == "/account/"
    assert cookie["samesite"] == "Lax"


def test_it_is_another_after_each_sign_in(bob: Person) -> None:
    own = signed_in_before(bob)
    before = own.cookies[COOKIE].value

    sign_in(own, bob.address)

    assert own.cookies[COOKIE].value != before


def test_one_peer_is_limited_at_all_addresses_together(bob: Person) -> None:
    for number in range(sign_in_attempts.PEER_LIMIT):
        fail(browser(), f"nobody{number}@x.example", 1)

    assert sign_in(browser(), bob.address).status_code == 429
    elsewhere = browser(FURTHER)
    sign_in(elsewhere, bob.address)
    assert is_in(elsewhere)


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_host_whose_clock_is_wrong_counts_like_the_others(
    bob: Person, minutes: int
) -> None:
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT - 1)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        fail(browser(), bob.address, 1)
        there = sign_in(browser(), bob.address)

    assert there.status_code == 429
    assert 14 * 60 < int(there["Retry-After"]) <= 15 * 60
    assert sign_in(browser(), bob.address).status_code == 429


@pytest.mark.usefixtures("clocks_agree")
def test_the_wait_that_is_shown_is_the_true_one(bob: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)
        clock.shift(timedelta(minutes=3))

        answer = sign_in(browser(), bob.address)

        assert answer["Retry-After"] == str(12 * 60)
        assert "in 12 minutes" in answer.content.decode()
        clock.shift(timedelta(seconds=12 * 60 - 1))
        assert sign_in(browser(), bob.address).status_code == 429
        clock.shift(timedelta(seconds=2))
        client = browser()
        sign_in(client, bob.address)
        assert is_in(client)


@pytest.mark.usefixtures("clocks_agree")
def test_trying_meanwhile_makes_it_no_longer(bob: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)
        for _ in range(14):
            clock.shift(timedelta(minutes=1))
            fail(browser(), bob.address, 2)
        clock.shift(timedelta(minutes=1, seconds=1))

        client = browser()
        sign_in(client, bob.address)

        assert is_in(client)


def test_an_address_that_is_nobodys_is_answered_the_same(bob: Person) -> None:
    answers = []
    for peer, address in ((ELSEWHERE, bob.address), (FURTHER, "nobody@x.example")):
        statuses = [
            fail(browser(peer), address, 1).status_code
            for _ in range(sign_in_attempts.ADDRESS_LIMIT + 1)
        ]
        answers.append(statuses)

    assert answers[0] == answers[1]
    assert answers[0][-1] == 429


def test_many_at_once_count_as_many(transactional_db: None, bob: Person) -> None:
    source = sign_in_attempts.Source(
        bob.address, ELSEWHERE, "198.51.100.0/24", "Firefox"
    )
    gate = threading.Barrier(4)
    let_through: list[int] = []

    def guess() -> None:
        try:
            gate.wait(10)
            for _ in range(5):
                try:
                    let_through.append(sign_in_attempts.begin(source).pk)
                except sign_in_attempts.TooManyAttemptsError:
                    return
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(let_through) <= sign_in_attempts.ADDRESS_LIMIT


def test_what_failed_is_kept_without_the_password(bob: Person) -> None:
    fail(browser(), bob.address, 1)

    row = SignIn.objects.get()
    assert "not the password" not in str(vars(row))
    assert (row.address, row.peer, row.network) == (
        bob.address,
        ELSEWHERE,
        "198.51.100.0/24",
    )


@pytest.mark.parametrize(
    "peer", ["2001:db8:1:2::7", "2001:db8:1:2:ffff::9"], ids=["first", "second"]
)
def test_in_ipv6_a_customer_is_one_network(bob: Person, peer: str) -> None:
    signed_in_before(bob, "2001:db8:1:2::1")
    fail(browser(), bob.address, sign_in_attempts.ADDRESS_LIMIT)

    client = browser(peer)
    sign_in(client, bob.address)

    assert is_in(client)
