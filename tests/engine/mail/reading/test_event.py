"""Invitations: what a calendar program wrote is what a reader is told."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, vCalAddress, vText
from icalendar import Event as Written

from engine.mail.reading import event
from engine.mail.reading.event import Event, Invitation, Moment, Person


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


LONDON = ZoneInfo("Europe/London")
TEXTS = st.text(st.characters(exclude_categories=["C"]), max_size=60).map(
    lambda text: " ".join(text.split())
)
ZONES = st.sampled_from(["UTC", "Europe/London", "Europe/Berlin", "America/New_York"])
MOMENTS = st.builds(
    lambda moment, zone: moment.replace(microsecond=0, tzinfo=ZoneInfo(zone)),
    st.datetimes(local("1990-01-01T00:00"), local("2090-01-01T00:00")),
    ZONES,
)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def calendar(*lines: str, method: str = "REQUEST", before: str = "") -> str:
    inside = "\r\n".join(lines)
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\n{before}BEGIN:VEVENT\r\n"
        f"UID:1\r\n{inside}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def invitation(text: str | bytes) -> Invitation:
    found = event.read(text)
    assert found is not None
    return found


def only(*lines: str, before: str = "") -> Event:
    (found,) = invitation(calendar(*lines, before=before)).events
    return found


@given(TEXTS, TEXTS, TEXTS, MOMENTS, st.timedeltas(timedelta(0), timedelta(9)), TEXTS)
def test_what_another_program_writes_comes_back(
    summary: str,
    place: str,
    description: str,
    start: datetime,
    length: timedelta,
    name: str,
) -> None:
    written, file = Written(), Calendar()
    end = start.astimezone(UTC) + timedelta(seconds=int(length.total_seconds()))
    written.add("summary", summary)
    written.add("location", place)
    written.add("description", f"{description}\n{description}")
    written.add("dtstart", start)
    written.add("dtend", end.astimezone(start.tzinfo))
    organiser = vCalAddress("mailto:jane@firm.example")
    organiser.params["cn"] = vText(name.replace('"', ""))
    written.add("organizer", organiser)
    file.add("method", "REQUEST")
    file.add_component(written)

    found = invitation(file.to_ical())

    assert found.method == "REQUEST"
    (one,) = found.events
    assert (one.summary, one.place) == (summary, place)
    assert one.description == f"{description}\n{description}".strip()
    assert one.start == Moment(start)
    assert one.end is not None
    assert one.end.at == end
    assert one.organiser == Person(
        " ".join(name.replace('"', "").split()), "jane@firm.example"
    )


@given(DAYS, st.integers(1, 30))
def test_whole_days_end_on_the_last_of_them(start: date, days: int) -> None:
    written, file = Written(), Calendar()
    written.add("dtstart", start)
    written.add("dtend", start + timedelta(days=days))
    file.add_component(written)

    (one,) = invitation(file.to_ical()).events

    assert (one.start, one.end) == (
        Moment(start),
        Moment(start + timedelta(days=days - 1)),
    )
    assert one.start.is_day


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("DTSTART:20261201T100000Z", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        (
            "DTSTART;TZID=Europe/London:20260701T100000",
            datetime(2026, 7, 1, 10, tzinfo=LONDON),
        ),
        (
            "DTSTART;TZID=GMT Standard Time:20260701T100000",
            datetime(2026, 7, 1, 10, tzinfo=LONDON),
        ),
        (
            'DTSTART;TZID="W. Europe Standard Time":20260701T100000',
            datetime(2026, 7, 1, 10, tzinfo=ZoneInfo("Europe/Berlin")),
        ),
        (
            "DTSTART;TZID=/example.com/20260101/Europe/London:20260701T100000",
            datetime(2026, 7, 1, 10, tzinfo=LONDON),
        ),
        (
            "DTSTART;TZID=tzone://Microsoft/Utc:20260701T100000",
            datetime(2026, 7, 1, 10, tzinfo=UTC),
        ),
        ("DTSTART;VALUE=DATE:20261201", date(2026, 12, 1)),
        ("DTSTART:20261201T100000", local("2026-12-01T10:00")),
    ],
)
def test_times_are_in_the_zones_that_programs_write(line: str, start: date) -> None:
    assert only(line).start == Moment(start)


@pytest.mark.parametrize(
    "zone", ["Customer Zone", "../../etc/hostname", "localtime", "Europe"]
)
def test_a_zone_that_is_not_known_is_named_instead_of_guessed(zone: str) -> None:
    found = only(f'DTSTART;TZID="{zone}":20260701T100000')

    assert found.start == Moment(local("2026-07-01T10:00"), zone)


def outlook_zone(name: str, *, summer: bool = True) -> str:
    """Returns a zone as Outlook writes it, of Central Europe."""
    lines = [
        "BEGIN:VTIMEZONE",
        f"TZID:{name}",
        "BEGIN:STANDARD",
        "DTSTART:16010101T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        *(["RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10"] if summer else []),
        "END:STANDARD",
    ]
    if summer:
        lines += [
            "BEGIN:DAYLIGHT",
            "DTSTART:16010101T020000",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200",
            "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
            "END:DAYLIGHT",
        ]
    return "\r\n".join([*lines, "END:VTIMEZONE", ""])


@given(st.datetimes(local("1997-01-01T00:00"), local("2090-01-01T00:00")))
def test_a_zone_that_the_file_writes_out_is_followed(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    berlin = moment.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    found = only(
        f"DTSTART;TZID=Customised:{moment:%Y%m%dT%H%M%S}",
        before=outlook_zone("Customised"),
    )

    assert found.start is not None
    assert isinstance(found.start.at, datetime)
    # In the hour that is there twice, and in that which is not, either may be meant.
    again = berlin.astimezone(UTC).astimezone(berlin.tzinfo)
    is_plain = (
        berlin.replace(fold=1).utcoffset() == berlin.utcoffset() == again.utcoffset()
    )
    assert not is_plain or found.start.at.utcoffset() == berlin.utcoffset()


def test_a_zone_without_summer_time_is_one_offset() -> None:
    found = only(
        "DTSTART;TZID=Mine:20260701T100000", before=outlook_zone("Mine", summer=False)
    )

    assert found.start == Moment(
        datetime(2026, 7, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    )


def test_a_zone_of_other_rules_is_named() -> None:
    other = outlook_zone("Mine").replace("FREQ=YEARLY", "FREQ=SECONDLY")

    found = only("DTSTART;TZID=Mine:20260701T100000", before=other)

    assert found.start == Moment(local("2026-07-01T10:00"), "Mine")


def test_a_zone_s_name_may_hold_a_colon() -> None:
    found = only('DTSTART;TZID="tzone://Microsoft/Utc":20260701T100000')

    assert found.start == Moment(datetime(2026, 7, 1, 10, tzinfo=UTC))


def test_zones_of_one_file_say_nothing_about_another() -> None:
    only("DTSTART;TZID=Mine:20260701T100000", before=outlook_zone("Mine"))

    found = only("DTSTART;TZID=Mine:20260701T100000")

    assert found.start == Moment(local("2026-07-01T10:00"), "Mine")


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("20260701T100000Z", "PT1H30M", datetime(2026, 7, 1, 11, 30, tzinfo=UTC)),
        ("20260701T100000", "P1D", local("2026-07-02T10:00")),
        ("20260701", "P2D", date(2026, 7, 2)),
        ("20260701T100000Z", "nonsense", None),
        ("20260701T100000Z", "P99999999999D", None),
    ],
)
def test_a_duration_stands_for_an_end(
    start: str, duration: str, end: date | None
) -> None:
    found = only(f"DTSTART:{start}", f"DURATION:{duration}")

    assert found.end == (Moment(end) if end else None)


def test_a_day_is_a_day_when_the_clocks_change() -> None:
    found = only("DTSTART;TZID=Europe/London:20260328T100000", "DURATION:P1DT1H")

    assert found.end == Moment(datetime(2026, 3, 29, 11, tzinfo=LONDON))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=2;COUNT=10", "every 2 days, 10 times"),
        ("FREQ=WEEKLY;BYDAY=MO,WE", "every week on Monday and Wednesday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on Monday to Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "every month on day 15"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "every month on the last Friday"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            "every month on the first working day",
        ),
        ("FREQ=YEARLY", "every year"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "every year on 24 December"),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=1MO", "every year on the first Monday of May"),
        (
            "FREQ=WEEKLY;UNTIL=20270301T233000Z;WKST=MO",
            "every week, until 1 March 2027",
        ),
        ("FREQ=WEEKLY;UNTIL=20270301", "every week, until 1 March 2027"),
        ("FREQ=HOURLY", "repeats: FREQ=HOURLY"),
        ("FREQ=DAILY;BYHOUR=9,17", "repeats: FREQ=DAILY;BYHOUR=9,17"),
        ("FREQ=WEEKLY;BYDAY=XX", "repeats: FREQ=WEEKLY;BYDAY=XX"),
        ("nonsense", "repeats: nonsense"),
        ("FREQ=YEARLY;BYMONTH=13", "repeats: FREQ=YEARLY;BYMONTH=13"),
    ],
)
def test_what_repeats_is_told_in_words(rule: str, words: str) -> None:
    assert (
        only("DTSTART;TZID=Europe/London:20261201T100000", f"RRULE:{rule}").repeats
        == words
    )


def test_the_last_day_is_that_of_the_event_s_zone() -> None:
    found = only(
        "DTSTART;TZID=America/New_York:20260701T200000",
        "RRULE:FREQ=DAILY;UNTIL=20260711T000000Z",
    )

    assert found.repeats == "every day, until 10 July 2026"


def test_days_left_out_are_told() -> None:
    found = only(
        "DTSTART;VALUE=DATE:20261201",
        "RRULE:FREQ=WEEKLY",
        "EXDATE;VALUE=DATE:20261222,20261229",
    )

    assert found.repeats == (
        "every week, except on 22 December 2026 and 29 December 2026"
    )


def test_people_and_their_answers_are_told() -> None:
    found = only(
        'ORGANIZER;CN="Finch, Jane":mailto:jane@firm.example',
        "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@firm.example",
        "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:MAILTO:eve@firm.example",
        "ATTENDEE;CN=Room 4;CUTYPE=ROOM:invalid:nomail",
        "STATUS:CONFIRMED",
        "SEQUENCE:3",
    )

    assert found.organiser == Person("Finch, Jane", "jane@firm.example")
    assert found.attendees == (
        Person("Bob", "bob@firm.example", "accepted"),
        Person("", "eve@firm.example", "not answered yet", is_optional=True),
        Person("Room 4", "invalid:nomail"),
    )
    assert (found.status, found.sequence) == ("CONFIRMED", 3)


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "REPLY", "PUBLISH", "COUNTER"])
def test_the_method_is_told(method: str) -> None:
    assert invitation(calendar(method=method)).method == method


def test_an_alarm_s_text_is_not_the_event_s() -> None:
    found = only(
        "SUMMARY:Hearing",
        "BEGIN:VALARM",
        "SUMMARY:Reminder",
        "DESCRIPTION:Reminder",
        "END:VALARM",
    )

    assert (found.summary, found.description) == ("Hearing", "")


def test_the_predecessor_s_quoted_printable_is_read() -> None:
    found = only("SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Anh=C3=B6r=\r\nung")

    assert found.summary == "Anhörung"


def test_many_people_and_events_are_counted() -> None:
    people = ["ATTENDEE:mailto:bob@firm.example"] * (event.MAX_ATTENDEES + 3)
    found = only(*people)
    events = "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n" * (event.MAX_EVENTS + 2)
    many = invitation(f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")

    assert (len(found.attendees), found.more_attendees) == (event.MAX_ATTENDEES, 3)
    assert (len(many.events), many.more_events) == (event.MAX_EVENTS, 2)


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR", "Hello", b"\xff\xfe\0"])
def test_a_file_without_events_is_none(text: str | bytes) -> None:
    assert event.read(text) is None


LINES = st.sampled_from(
    [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "BEGIN:VTIMEZONE",
        "BEGIN:STANDARD",
        "END:STANDARD",
        "END:VTIMEZONE",
        "END:VEVENT",
        "END:VCALENDAR",
        "TZID:X",
        "TZOFFSETFROM:+2500",
        "TZOFFSETTO:-0100",
        "DTSTART;TZID=X:00010101T000000",
        "DTSTART;TZID=X:99991231T235959",
        "DTSTART:00010101",
        "DTEND;VALUE=DATE:00010101",
        "DURATION:-P99999D",
        "DURATION:P9999W",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=5SU;UNTIL=00010101",
        "RRULE:FREQ=YEARLY;BYMONTH=0",
        "RRULE:FREQ=DAILY;COUNT=99999999999999999999;INTERVAL=-1",
        "RRULE:FREQ=MONTHLY;BYDAY=-9SU,;BYSETPOS=x",
        "EXDATE:,,19700101T000000Z/P1D",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:x",
        "ATTENDEE;;;=:x",
        'ORGANIZER;CN="x:mailto:%ff%00',
        "SEQUENCE:²",
        " folded",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=30).map("\r\n".join))
def test_no_text_raises(text: str) -> None:
    event.read(text)
    event.read(f"BEGIN:VEVENT\r\n{text}\r\nEND:VEVENT")


@pytest.mark.parametrize(
    "unit",
    [
        "BEGIN:VEVENT\n",
        "BEGIN:X\nEND:X\n",
        "ATTENDEE;CN=x:mailto:x\n",
        "SUMMARY:x\n",
        "\n",
        "\n ",
        "DESCRIPTION;" + "X=y;" * 50 + ":\n",
        "RRULE:" + "BYDAY=MO;" * 2000 + "\n",
        "EXDATE:" + "20260101," * 2000 + "\n",
        " " * 70 + "\n",
        "SUMMARY;ENCODING=QUOTED-PRINTABLE:=\n=\n",
        "BEGIN:VTIMEZONE\nTZID:X\n",
    ],
)
def test_hostile_files_take_little_time(unit: str) -> None:
    text = "BEGIN:VEVENT\n" + unit * (6_000_000 // len(unit))
    started = time.process_time()
    event.read(text)

    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    "line",
    [
        "DTEND;VALUE=DATE:00010101",
        "RRULE:FREQ=DAILY;UNTIL=P1D",
        "RRULE:FREQ=DAILY;UNTIL=120000",
        "DURATION:P99999999D",
    ],
)
def test_values_that_make_no_sense_leave_the_event(line: str) -> None:
    found = only("DTSTART;VALUE=DATE:20261201", "SUMMARY:Hearing", line)

    assert found.summary == "Hearing"
    assert found.start == Moment(date(2026, 12, 1))


@pytest.mark.parametrize("moment", ["99991231T235959Z", "00010101T000000Z"])
def test_the_ends_of_the_calendar_are_no_moments(moment: str) -> None:
    # Another zone would put them beyond what a date can hold.
    assert only(f"DTSTART:{moment}", "SUMMARY:Hearing").start is None


def test_a_zone_whose_rule_ends_at_no_day_is_named() -> None:
    zone = outlook_zone("Mine").replace("BYMONTH", "UNTIL=P1D;BYMONTH")

    found = only("DTSTART;TZID=Mine:20261201T100000", before=zone)

    assert found.start == Moment(local("2026-12-01T10:00"), "Mine")


def test_a_file_of_moments_in_a_written_zone_takes_little_time() -> None:
    days = ",".join(["20260101T000000"] * 900)
    lines = [f"EXDATE;TZID=Mine:{days}"] * 60
    zone = outlook_zone("Mine")
    began = time.process_time()

    only("DTSTART;TZID=Mine:20261201T100000", *lines, before=zone)

    assert time.process_time() - began < 5
