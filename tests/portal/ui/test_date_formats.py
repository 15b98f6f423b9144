from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from portal.ui.date_formats import end_of_day
from portal.ui.templatetags.govuk import local_time

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 7, 14, 11, 5, tzinfo=UTC), "14 July 2026 at 12:05pm"),
        (datetime(2026, 1, 2, 0, 7, tzinfo=UTC), "2 January 2026 at 12:07am"),
    ],
)
def test_moment_is_told_in_the_readers_zone(moment: datetime, words: str) -> None:
    assert f">{words}</time>" in local_time(moment)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 7, 14, 7, 5, tzinfo=UTC), "8:05am"),
        (datetime(2026, 7, 13, 7, 5, tzinfo=UTC), "13 Jul"),
        (datetime(2025, 7, 14, 7, 5, tzinfo=UTC), "14 Jul 2025"),
    ],
)
def test_short_form_says_no_more_than_is_needed(moment: datetime, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f">{words}</time>" in local_time(moment, "short")


def test_no_moment_is_nothing() -> None:
    assert local_time(None) == ""


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2026-07-14", "2026-07-14T23:00:00+00:00"),
        ("2026-03-29", "2026-03-29T23:00:00+00:00"),  # of 23 hours
        ("9999-12-31", None),
        ("2026-99-99", None),
        ("", None),
    ],
)
def test_a_day_ends_at_midnight_of_the_readers_zone(
    text: str, ends: str | None
) -> None:
    end = end_of_day(text)

    assert (end and end.astimezone(UTC).isoformat()) == ends
