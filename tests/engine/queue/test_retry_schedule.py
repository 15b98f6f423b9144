from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.queue import retry_schedule

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "minutes"),
    [(0, 1), (1, 1), (2, 5), (3, 15), (4, 30), (5, 60), (6, 120), (99, 120)],
)
def test_delay_grows_with_the_attempts(attempts, minutes):
    assert retry_schedule.delay_after(attempts, 0.5) == timedelta(minutes=minutes)


def test_delay_varies_by_a_fifth_either_way():
    assert retry_schedule.delay_after(4, 0) == timedelta(minutes=24)
    assert retry_schedule.delay_after(4, 1) == timedelta(minutes=36)
