from __future__ import annotations

import time

import pytest
from django.core.cache import cache

from onboarding import rate_limits


def test_the_hour_begins_with_the_first_and_then_all_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache.clear()
    rate_limits.count("questions", "192.0.2.1", 2)
    later = time.time() + rate_limits.HOUR - 60
    monkeypatch.setattr(time, "time", lambda: later)
    rate_limits.count("questions", "192.0.2.1", 2)
    with pytest.raises(rate_limits.RateLimitError):
        rate_limits.count("questions", "192.0.2.1", 2)

    monkeypatch.setattr(time, "time", lambda: later + 61)

    rate_limits.count("questions", "192.0.2.1", 2)
