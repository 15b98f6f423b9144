from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.header import HeaderBlock, MalformedHeader, new_field

RAW = (
    b"Received: from a\r\n by b;\r\n\tMon, 23 Nov 2026 10:00:00 +0000\r\n"
    b"SUBJECT: Hello\r\n"
    b"From :  jane@firm.example \r\n"
    b"X-Empty:\r\n"
    b"Received: from c\r\n"
    b"\r\n"
)

names = st.text(st.sampled_from("AbcXYZ-019_!"), min_size=1, max_size=12)
lines = st.binary(max_size=30).map(lambda line: line.translate(None, b"\r\n\0"))
written_fields = st.builds(
    lambda name, first, more: (
        name.encode() + b":" + b"\r\n ".join([first, *more]) + b"\r\n"
    ),
    names,
    lines,
    st.lists(lines, max_size=3),
)


def test_header_is_kept_octet_for_octet() -> None:
    assert HeaderBlock.parse(RAW).to_bytes() == RAW


def test_header_without_its_empty_line() -> None:
    assert HeaderBlock.parse(RAW[:-2]).to_bytes() == RAW
    assert HeaderBlock.parse(RAW[:-4]).to_bytes() == RAW


def test_empty_header() -> None:
    assert HeaderBlock.parse(b"").to_bytes() == b"\r\n"
    assert HeaderBlock.parse(b"\r\n").fields == ()


def test_fields_are_found_whatever_their_case() -> None:
    header = HeaderBlock.parse(RAW)
    subject, sender = header.get("subject"), header.get("FROM")

    assert subject and subject.name == "SUBJECT" and subject.value == b"Hello"
    assert sender and sender.value == b"jane@firm.example"
    assert header.get("Cc") is None
    assert [field.value for field in header.all("received")] == [
        b"from a by b;\tMon, 23 Nov 2026 10:00:00 +0000",
        b"from c",
    ]
    assert header.text("x-empty") == header.text("x-missing") == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\nBcc: b\r\n",
        b"Subject: a\rBcc: b\r\n",
        b"Subject: a\r\r\n",
        b"Subject: a\0b\r\n",
        b"Subject\r\n",
        b" folded: first\r\n",
        b"Two words: a\r\n",
        b"From jane Mon Nov 23\r\nSubject: a\r\n",
        b"S\xc3\xa9: a\r\n",
        b": a\r\n",
        b"A: b\r\n\r\nC: d\r\n\r\n",
        b"A: b\r\n" * 1001,
        b"A: b\r\n" * 100_000,
        b"A: " + b"x" * 10_000_000,
        b"x" * 200_000,
        b"A" + b" " * 200_000 + b"x",
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_malformed_header(raw: bytes) -> None:
    with pytest.raises(MalformedHeader) as refused:
        HeaderBlock.parse(raw)

    assert refused.value.reply.is_permanent


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            b"Subject: a\r\n\tb\r\nHello Bob\r\n",
            'Line 3 *"Hello"* no colon*empty line*',
        ),
        (b"A: b\r\nTwo words: a\r\n", 'Line 2 *"Two"* ASCII *without spaces'),
        (b"A: b\r\nS\xc3\xa9: a\r\n", 'Line 2 *"S??:"* ASCII *'),
        (b"A: b\r\n: a\r\n", 'Line 2 *":"* no name before its colon'),
        (b" a: b\r\n", "Line 1 *begins with a space*"),
        (
            b"From jane Mon Nov 23\r\nA: b\r\n",
            'Line 1 *"From"* mailbox file; remove it',
        ),
        (b"A: b\r\n\r\nC: d\r\n\r\n", "Line 2 *is empty"),
        (b"A: b\r\nC: d\0e\r\n", "Line 2 *NUL*"),
        (b"A: b\r\nC: d\ne\r\n", "Line 2 *CR or LF on its own"),
        (b"A: b\r\nC: d\r\r\n", "Line 2 *CR or LF on its own"),
        (b"A: b\r\n" * 1001, "*more than 950 fields"),
        (b"A: " + b"x" * 300_000, "*longer than 240 kB"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_malformed_header_is_described(raw: bytes, said: str) -> None:
    with pytest.raises(MalformedHeader) as refused:
        HeaderBlock.parse(raw)

    assert fnmatchcase(refused.value.reply.text, said), refused.value.reply.text


@given(st.binary(max_size=200), st.binary(max_size=80))
def test_the_description_of_a_line_is_short_and_repeats_little(
    before: bytes, line: bytes
) -> None:
    try:
        HeaderBlock.parse(before + line * 50)
    except MalformedHeader as error:
        text = error.reply.text
        assert len(text) < 250
        assert text.isascii()
        assert text.isprintable()


def test_with_replaced_changes_only_that_field() -> None:
    header = HeaderBlock.parse(RAW).with_replaced(
        "Subject", lambda value: b" [x]" + value
    )

    assert header.to_bytes() == RAW.replace(b"SUBJECT: Hello", b"SUBJECT: [x] Hello")
    assert (
        HeaderBlock.parse(RAW).with_replaced("Cc", lambda value: b"x").to_bytes() == RAW
    )


@pytest.mark.parametrize(
    "value", [b" a\r\nBcc: x", b" a\nb", b" a\rb", b" a\0b", b" a\r\n", b" a\r\n\r\n"]
)
def test_with_replaced_refuses_a_value_that_breaks_out(value: bytes) -> None:
    with pytest.raises(ValueError, match="line end"):
        HeaderBlock.parse(RAW).with_replaced("Subject", lambda _: value)


def test_without_leaves_out_every_field_of_the_names() -> None:
    header = HeaderBlock.parse(RAW).without("RECEIVED", "x-empty")

    assert [field.name for field in header.fields] == ["SUBJECT", "From"]


def test_prepended_stands_first() -> None:
    header = HeaderBlock.parse(RAW).prepended("Return-Path", "<jane@firm.example>")

    assert header.to_bytes() == b"Return-Path: <jane@firm.example>\r\n" + RAW


def test_prepended_refuses_a_name_that_is_none() -> None:
    for name in ("", "A b", "A:", "A\r\nB", "É"):
        with pytest.raises(ValueError, match="name"):
            HeaderBlock(()).prepended(name, "x")


@given(st.text(max_size=300))
def test_new_field_is_one_field(value: str) -> None:
    field = new_field("Subject", value)

    assert HeaderBlock.parse(field.raw).fields == (field,)
    assert field.raw.isascii()
    assert max(map(len, field.raw.split(b"\r\n"))) <= 998


def test_long_value_is_folded_at_spaces() -> None:
    value = "word " * 100

    raw = new_field("X-Long", value).raw

    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert HeaderBlock.parse(raw).text("X-Long") == value.strip()


@given(st.lists(written_fields, max_size=6))
def test_header_round_trip(fields: list[bytes]) -> None:
    header = HeaderBlock.parse(b"".join(fields))

    assert [field.raw for field in header.fields] == fields
    assert HeaderBlock.parse(header.to_bytes()) == header


@given(st.text(st.sampled_from("Ab: \t\r\n\0é")))
def test_any_header_is_kept_or_refused(text: str) -> None:
    raw = text.encode()
    try:
        header = HeaderBlock.parse(raw)
    except MalformedHeader:
        return

    assert header.to_bytes().strip(b"\r\n") == raw.strip(b"\r\n")


@given(st.text(st.sampled_from("Ab: \t\r\n\0é")))
def test_salvage_takes_anything(text: str) -> None:
    salvaged = HeaderBlock.salvage(text.encode())

    assert HeaderBlock.parse(salvaged.to_bytes()) == salvaged


def test_salvage_of_a_header_nobody_checked() -> None:
    raw = b"junk\r\nA: b\nC: d\0e\r f\r\nno field\r\nG: h\r\n"

    values = {field.name: field.value for field in HeaderBlock.salvage(raw).fields}

    assert values == {"A": b"b", "C": b"de f", "G": b"h"}
    assert len(HeaderBlock.salvage(b"A: b\r\n" * 100_000).fields) == 1000
