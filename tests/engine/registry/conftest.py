from __future__ import annotations

import pytest

from engine.registry.credentials import authentication
from engine.registry.credentials.sign_in_throttle import Throttle
from tests.engine.registry.clock import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def throttle(monkeypatch, clock):
    """A throttle without attempts from other tests."""
    fresh = Throttle(clock=clock)
    monkeypatch.setattr(authentication, "throttle", fresh)
    return fresh
