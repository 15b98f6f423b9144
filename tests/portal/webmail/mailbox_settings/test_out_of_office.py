from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from engine import calendar_days
from engine.registry.models import Person
from engine.storage.models import OutOfOffice
from portal.webmail.mailbox_settings import out_of_office

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
DAY = timedelta(days=1)
AROUND = [day + n * DAY for day in (SPRING, AUTUMN) for n in (-1, 0, 1)]


@pytest.mark.parametrize("last", AROUND)
def test_the_days_of_absence_are_shown_as_they_were_typed(
    as_bob: Client, bob: Person, last: date
) -> None:
    page = reverse("webmail:out_of_office", args=[bob.mailbox.pk])
    first = last - DAY
    typed = {"first_day": f"{first:%d/%m/%Y}", "last_day": f"{last:%d/%m/%Y}"}

    as_bob.post(page, {**typed, "text": "Away."})
    shown = as_bob.get(page)

    assert shown.context["form"].initial["first_day"] == first
    assert shown.context["form"].initial["last_day"] == last
    assert f"until the end of {last.day} {last:%B} {last.year}" in shown.text
    # Saved as it is shown, it stays as it is.
    before = OutOfOffice.objects.get()
    as_bob.post(page, {**typed, "text": "Away."})
    after = OutOfOffice.objects.get()
    assert (after.starts_at, after.ends_at) == (before.starts_at, before.ends_at)


@pytest.mark.parametrize("last", AROUND)
def test_a_reply_goes_out_until_the_midnight_after_the_last_day(
    as_bob: Client, bob: Person, last: date
) -> None:
    as_bob.post(
        reverse("webmail:out_of_office", args=[bob.mailbox.pk]),
        {
            "first_day": f"{last:%d/%m/%Y}",
            "last_day": f"{last:%d/%m/%Y}",
            "text": "Away.",
        },
    )

    london = ZoneInfo("Europe/London")
    starts = datetime.combine(last, datetime.min.time(), london)
    ends = datetime.combine(last + DAY, datetime.min.time(), london)
    instant = timedelta(microseconds=1)
    replies = [
        OutOfOffice.objects.on_at(moment).exists()
        for moment in (starts - instant, starts, ends - instant, ends)
    ]
    assert replies == [False, True, True, False]


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)) | st.sampled_from(AROUND))
def test_every_last_day_is_read_back(last: date) -> None:
    kept = OutOfOffice(
        starts_at=calendar_days.start_of(last), ends_at=calendar_days.end_of(last)
    )

    shown = out_of_office._initial(kept)

    assert (shown["first_day"], shown["last_day"]) == (last, last)
