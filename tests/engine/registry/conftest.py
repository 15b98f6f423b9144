from __future__ import annotations

import pytest

from engine.registry import credentials
from engine.registry.throttle import Throttle
from tests.engine.registry.clock import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def throttle(monkeypatch, clock):
    """A throttle that remembers nothing of other tests."""
    fresh = Throttle(clock=clock)
    monkeypatch.setattr(credentials, "throttle", fresh)
    return fresh
