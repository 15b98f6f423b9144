from __future__ import annotations

import pytest

from engine.registry import throttle as module
from engine.registry.throttle import TooManyAttemptsError


def test_throttle_remembers_no_more_than_its_capacity(throttle, monkeypatch):
    monkeypatch.setattr(module, "CAPACITY", 10)
    for number in range(100):
        throttle.failed(f"name {number}", f"peer {number}")
        throttle.succeeded(f"name {number}", f"peer {number}")

    # The oldest are forgotten: name 0 has signed in, but is a stranger again.
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
    clock.pass_by(minutes=14)
    throttle.failed("name", "peer")
    with pytest.raises(TooManyAttemptsError):
        throttle.check("name", "peer")

    clock.pass_by(minutes=2)
    throttle.check("name", "peer")
