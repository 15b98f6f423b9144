from __future__ import annotations

from contextlib import ExitStack

import pytest

from engine.network.connection_limits import Limits
from engine.registry.credentials import sign_in_throttle as module
from engine.registry.credentials.sign_in_throttle import TooManyAttemptsError


def test_throttle_remembers_no_more_than_its_capacity(throttle, monkeypatch):
    monkeypatch.setattr(module, "CAPACITY", 10)
    for number in range(100):
        throttle.failed(f"name {number}", f"peer {number}")
        throttle.succeeded(f"name {number}", f"peer {number}")

    # The oldest are forgotten: name 0 has signed in, but is unknown again.
    for _ in range(module.USERNAME_LIMIT):
        throttle.failed("name 0", "")
    with pytest.raises(TooManyAttemptsError):
        throttle.check("name 0", "peer 0")


def test_throttle_without_a_peer_counts_names_only(throttle):
    for number in range(module.PEER_LIMIT + 1):
        throttle.failed(f"name {number}", "")

    throttle.check("another name", "")


def test_throttle_window_starts_at_the_first_failure(throttle, clock):
    for _ in range(module.USERNAME_LIMIT):
        throttle.failed("name", "peer")
    clock.advance(minutes=14)
    throttle.failed("name", "peer")
    with pytest.raises(TooManyAttemptsError):
        throttle.check("name", "peer")

    clock.advance(minutes=2)
    throttle.check("name", "peer")


def test_attempts_that_are_under_way_count_as_failed(throttle):
    """Of a thousand at once, most are refused before the first has failed."""
    with ExitStack() as under_way:
        for _ in range(module.USERNAME_LIMIT):
            under_way.enter_context(throttle.attempt("name", "192.0.2.1"))

        with pytest.raises(TooManyAttemptsError), throttle.attempt("name", "192.0.2.9"):
            pytest.fail("its secret was looked at")


def test_attempts_that_succeed_or_break_are_taken_off_again(throttle):
    for number in range(2 * module.USERNAME_LIMIT):
        with throttle.attempt("name", "192.0.2.1") as attempt:
            attempt.succeeded()
        with pytest.raises(OSError), throttle.attempt("other", f"192.0.2.{number}"):
            raise OSError

    throttle.check("name", "198.51.100.1")
    throttle.check("other", "198.51.100.1")


def fail(throttle, name="name", peer="192.0.2.1"):
    with throttle.attempt(name, peer):
        pass


def succeed(throttle, name="name", peer="192.0.2.1"):
    with throttle.attempt(name, peer) as attempt:
        attempt.succeeded()


def test_each_failure_makes_the_next_attempt_wait_longer(throttle, clock):
    delays = []
    for _ in range(8):
        fail(throttle)
        delays.append(throttle.delay("name", "192.0.2.1"))
        clock.now += delays[-1]

    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]
    assert throttle.delay("name", "192.0.2.1") == 0.0


def test_attempts_that_are_refused_unseen_wait_too(throttle, clock):
    for _ in range(module.USERNAME_LIMIT):
        fail(throttle)
    clock.advance(minutes=1)
    assert throttle.delay("name", "192.0.2.1") == 0.0

    with pytest.raises(TooManyAttemptsError):
        fail(throttle)

    assert throttle.delay("name", "192.0.2.1") == module.LONGEST_DELAY


def test_it_waits_for_the_account_from_anywhere_and_for_any_account_from_there(
    throttle,
):
    for number in range(3):
        fail(throttle, f"name {number}")
        fail(throttle, "guessed", f"198.51.100.{number}")

    assert throttle.delay("another", "192.0.2.1") == 2.0
    assert throttle.delay("guessed", "203.0.113.1") == 2.0
    assert throttle.delay("another", "203.0.113.1") == 0.0


def test_strangers_slow_no_network_that_has_signed_in_before(throttle):
    succeed(throttle)
    for number in range(10):
        fail(throttle, "name", f"203.0.113.{number}")
        fail(throttle, f"x{number}")

    assert throttle.delay("name", "192.0.2.1") == 0.0


def test_a_right_secret_ends_the_waiting(throttle):
    for _ in range(5):
        fail(throttle)
    succeed(throttle)

    assert throttle.delay("name", "192.0.2.1") == 0.0
    fail(throttle)
    assert throttle.delay("name", "192.0.2.1") == 0.5


def test_right_secrets_at_the_same_time_do_not_wait_for_each_other(throttle):
    with ExitStack() as under_way:
        for number in range(15):
            under_way.enter_context(throttle.attempt(f"name {number}", "192.0.2.1"))

        assert throttle.delay("name", "192.0.2.1") == 0.0


def test_the_longest_wait_is_shorter_than_the_patience_of_a_crowded_port(throttle):
    assert Limits(total=1).least_patience > module.LONGEST_DELAY
