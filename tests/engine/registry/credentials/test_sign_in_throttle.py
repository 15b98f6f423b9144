from __future__ import annotations

from contextlib import ExitStack

import pytest

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
