from __future__ import annotations

import time

import pytest
from django.core.cache import cache

from onboarding import throttle


def test_the_hour_begins_with_the_first_and_then_all_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache.clear()
    throttle.count("questions", "192.0.2.1", 2)
    later = time.time() + throttle.HOUR - 60
    monkeypatch.setattr(time, "time", lambda: later)
    throttle.count("questions", "192.0.2.1", 2)
    with pytest.raises(throttle.TooOftenError):
        throttle.count("questions", "192.0.2.1", 2)

    monkeypatch.setattr(time, "time", lambda: later + 61)

    throttle.count("questions", "192.0.2.1", 2)
