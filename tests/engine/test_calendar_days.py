from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from engine import calendar_days

LONDON = ZoneInfo("Europe/London")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
# Among them both changes of the clocks of every year.
DATES = st.dates(date(1990, 1, 1), date(2090, 1, 1)) | st.sampled_from(
    [SPRING, AUTUMN, SPRING - timedelta(days=1), AUTUMN - timedelta(days=1)]
)
ZONES = st.sampled_from(
    ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC"]
)


def at(text: str) -> datetime:
    """The moment that the clocks of London show so."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 7, 1), 24)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: date, hours: int) -> None:
    length = calendar_days.end_of(day) - calendar_days.start_of(day)

    assert length == timedelta(hours=hours)


@given(DATES, ZONES)
def test_the_last_day_before_the_end_of_a_day_is_that_day(day: date, zone: str) -> None:
    with timezone.override(zone):
        assert calendar_days.last_before(calendar_days.end_of(day)) == day
        assert timezone.localdate(calendar_days.start_of(day)) == day


@given(DATES, st.times(), st.integers(-400, 400), ZONES)
def test_so_many_days_later_is_so_many_dates_later(
    day: date, clock: time, days: int, zone: str
) -> None:
    with timezone.override(zone):
        moment = datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
        before = timezone.localtime(moment)

        after = timezone.localtime(calendar_days.later(moment, days=days))

        assert after.date() - before.date() == timedelta(days=days)
        # An hour more only where the clocks skip that time.
        assert after.replace(tzinfo=None) - before.replace(tzinfo=None) in (
            timedelta(days=days),
            timedelta(days=days, hours=1),
        )


@pytest.mark.parametrize(
    ("moment", "days", "after"),
    [
        # In winter time 30 times 24 hours later it is half past midnight of the 15th.
        ("2026-03-15T23:30", 30, "2026-04-14T23:30"),
        ("2026-10-11T00:30", 30, "2026-11-10T00:30"),
        ("2026-03-28T00:00", 1, "2026-03-29T00:00"),
        ("2026-03-29T00:00", 1, "2026-03-30T00:00"),
        ("2026-10-25T00:00", 1, "2026-10-26T00:00"),
        ("2026-10-24T23:59", 1, "2026-10-25T23:59"),
        ("2026-10-26T00:00", -1, "2026-10-25T00:00"),
    ],
)
def test_days_are_counted_on_the_calendar(moment: str, days: int, after: str) -> None:
    assert calendar_days.later(at(moment), days=days) == at(after)


@pytest.mark.parametrize(
    ("made", "ends"),
    [
        ("2026-11-30T10:00", "2027-11-30T10:00"),
        # A year of 366 days.
        ("2027-11-30T10:00", "2028-11-30T10:00"),
        ("2028-02-29T10:00", "2029-02-28T10:00"),
        ("2026-03-29T12:00", "2027-03-29T12:00"),
    ],
)
def test_a_year_ends_on_its_own_date(made: str, ends: str) -> None:
    assert calendar_days.expiry(at(made), 365) == at(ends)


def test_both_changes_of_a_year_are_found() -> None:
    found = calendar_days.offset_changes(at("2026-01-01T12:00"), at("2027-01-01"))

    assert [moment.isoformat() for moment in found] == [
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T01:00:00+00:00",
    ]
