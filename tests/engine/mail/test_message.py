from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.conversation import conversation_id
from engine.mail.dates import format_date, parse_date
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary, split, summarise


@pytest.mark.parametrize(
    ("raw", "header", "body"),
    [
        (b"A: b\r\n\r\nbody\r\n\r\nmore", b"A: b\r\n\r\n", b"body\r\n\r\nmore"),
        (b"A: b\r\n\r\n", b"A: b\r\n\r\n", b""),
        (b"A: b\r\n", b"A: b\r\n\r\n", b""),
        (b"A: b", b"A: b\r\n\r\n", b""),
        (b"\r\nbody\r\n\r\n", b"\r\n", b"body\r\n\r\n"),
        (b"\r\n\r\nbody", b"\r\n", b"\r\nbody"),
        (b"", b"\r\n\r\n", b""),
    ],
)
def test_split(raw: bytes, header: bytes, body: bytes) -> None:
    assert split(raw) == (header, body)


@given(st.text(st.sampled_from("ab:\r\n ")))
def test_split_loses_nothing(text: str) -> None:
    header, body = split(text.encode())

    assert (header + body).rstrip(b"\r\n") == text.encode().rstrip(b"\r\n")


def test_summary_of_an_ordinary_message() -> None:
    header = HeaderBlock.parse(
        b"From: =?utf-8?q?J=C3=A4ne?= <Jane@FIRM.example>\r\n"
        b'To: "Smith, Bob" <bob@x.example>,\r\n alice@x.example\r\n'
        b"Subject: Case\r\n 123\r\n"
        b"Date: Mon, 23 Nov 2026 10:20:28 +0100\r\n"
        b"Message-ID:\r\n <a1@firm.example>\r\n"
        b'Content-Type: MULTIPART/mixed; boundary="x"\r\n\r\n'
    )

    assert summarise(header) == Summary(
        subject="Case 123",
        from_name="Jäne",
        from_address="Jane@firm.example",
        to_summary="Smith, Bob, alice@x.example",
        message_id="<a1@firm.example>",
        date=datetime(2026, 11, 23, 10, 20, 28, tzinfo=timezone(timedelta(hours=1))),
        thread=conversation_id(header),
    )


def test_summary_of_an_empty_header() -> None:
    summary = summarise(HeaderBlock(()))

    assert summary == Summary("", "", "", "", "", None, summary.thread)


def test_messages_without_any_header_are_no_conversation() -> None:
    empty = HeaderBlock.parse(b"\r\n")

    assert conversation_id(empty) != conversation_id(empty)


def test_summary_of_addresses_that_are_none() -> None:
    header = HeaderBlock.parse(
        b"From: The \x01System\r\nTo: undisclosed-recipients:;\r\n"
    )

    summary = summarise(header)

    assert (summary.from_name, summary.from_address) == ("The System", "")
    assert summary.to_summary == "undisclosed-recipients:;"


def test_summary_fits_its_columns() -> None:
    long = b"x" * 5000
    header = HeaderBlock.parse(
        b'From: "%b" <jane@firm.example>\r\nTo: %b\r\nSubject: %b\r\nMessage-ID: <%b>\r\n'
        % (long, b"jane@firm.example, " * 500, long, long)
    )

    summary = summarise(header)

    assert len(summary.from_name) == 200
    assert len(summary.to_summary) == len(summary.subject) == 300
    assert len(summary.message_id) == 300


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 23 Nov 2026 10:20:28 +0000", "2026-11-23T10:20:28+00:00"),
        ("23 Nov 2026 10:20 -0530", "2026-11-23T10:20:00-05:30"),
        ("Mon, 23 nov 26 10:20:28 GMT", "2026-11-23T10:20:28+00:00"),
        ("Mon, 23 Nov 98 10:20:28 EST", "1998-11-23T10:20:28-05:00"),
        ("Mon, 23 Nov 2026 10:20:60 +0000 (UTC)", "2026-11-23T10:20:59+00:00"),
        ("Mon, 23 Nov 2026 10:20:28", "2026-11-23T10:20:28+00:00"),
    ],
)
def test_date(text: str, moment: str) -> None:
    assert parse_date(text) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "31 Feb 2026 10:00:00 +0000",
        "1 Xxx 2026 10:00:00 +0000",
        "1 Jan 0000 10:00:00 +0000",
        "1 Jan 2026 25:00:00 +0000",
        "1 Jan 2026 10:00:00 +9999",
        " " * 100_000 + "1 Jan 2026 10:00:00 +0000",
    ],
)
def test_date_that_is_none(text: str) -> None:
    assert parse_date(text) is None


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))])))
def test_date_round_trip(moment: datetime) -> None:
    assert parse_date(format_date(moment)) == moment.replace(microsecond=0)
