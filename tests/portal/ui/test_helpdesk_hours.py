from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.ui import helpdesk_hours

LONDON = ZoneInfo("Europe/London")
# Every year in this range includes both clock changes, Christmas and Easter.
MOMENTS = st.datetimes(
    datetime.fromisoformat("2025-01-01"),
    datetime.fromisoformat("2028-12-31"),
    timezones=st.just(UTC),
)
AMOUNTS = st.timedeltas(timedelta(minutes=1), timedelta(hours=120))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("moment", "is_open", "sentence"),
    [
        ("2026-11-23 08:00", True, "Open now, until 7pm"),
        ("2026-11-23 18:59", True, "Open now, until 7pm"),
        ("2026-11-23 07:59", False, "Closed now. Opens Monday 23 November at 8am"),
        ("2026-11-23 19:00", False, "Closed now. Opens Tuesday 24 November at 8am"),
        ("2026-11-27 20:00", False, "Closed now. Opens Monday 30 November at 8am"),
        # Good Friday to Easter Monday
        ("2026-04-03 12:00", False, "Closed now. Opens Tuesday 7 April at 8am"),
        # Boxing Day falls on a Saturday, so the Monday is a bank holiday too
        ("2026-12-24 19:30", False, "Closed now. Opens Tuesday 29 December at 8am"),
    ],
)
def test_the_helpdesk_keeps_weekdays_and_bank_holidays(
    moment: str, is_open: bool, sentence: str
) -> None:
    now = helpdesk_hours.status(at(moment))

    assert (now.is_open, now.sentence) == (is_open, sentence)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-23 09:00", "2026-11-23 10:30", timedelta(hours=1.5)),
        ("2026-11-23 18:00", "2026-11-24 09:00", timedelta(hours=2)),
        ("2026-11-27 18:00", "2026-11-30 09:00", timedelta(hours=2)),
        ("2026-04-02 18:00", "2026-04-07 09:00", timedelta(hours=2)),
        # Clocks go forward, and back, on the Sunday in between
        ("2026-03-27 18:00", "2026-03-30 09:00", timedelta(hours=2)),
        ("2026-10-23 18:00", "2026-10-26 09:00", timedelta(hours=2)),
        ("2026-11-24 09:00", "2026-11-23 09:00", timedelta()),
    ],
)
def test_only_open_time_counts(start: str, end: str, expected: timedelta) -> None:
    assert helpdesk_hours.working_time(at(start), at(end)) == expected


@given(MOMENTS, AMOUNTS)
def test_the_moment_after_some_time_is_that_much_time_later(
    start: datetime, amount: timedelta
) -> None:
    assert (
        helpdesk_hours.working_time(start, helpdesk_hours.after(start, amount))
        == amount
    )


@given(MOMENTS, AMOUNTS, AMOUNTS)
def test_time_adds_up(start: datetime, one: timedelta, other: timedelta) -> None:
    middle = helpdesk_hours.after(start, one)

    assert helpdesk_hours.after(middle, other) == helpdesk_hours.after(
        start, one + other
    )


@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=40)))
def test_what_is_counted_is_never_more_than_what_passed(
    start: datetime, passed: timedelta
) -> None:
    counted = helpdesk_hours.working_time(start, start + passed)

    assert timedelta() <= counted <= passed


@given(MOMENTS)
def test_the_state_changes_when_it_says(moment: datetime) -> None:
    before = helpdesk_hours.status(moment)
    after = helpdesk_hours.status(before.changes_at)

    assert before.changes_at > moment
    assert after.is_open != before.is_open
    local = timezone.localtime(before.changes_at, LONDON)
    assert local.hour == (19 if before.is_open else 8)
