"""Files within a text: found whole, and letters that only look like one left alone."""

from __future__ import annotations

import time
import tracemalloc
from base64 import encodebytes
from binascii import b2a_uu
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import transfer_encoding, uuencoded
from engine.mail.mime.uuencoded import FilePiece, TextPiece

FILE = bytes(range(256)) * 2
# Lines as files have them, as almost files have them, and as people write them.
LINES = st.sampled_from(
    [
        b"begin 644 minutes.txt",
        b"begin 0600 a b.pdf",
        b"begin 644 x",
        b"begin-base64 644 minutes.pdf",
        b"begin the day",
        b"end",
        b"end ",
        b"====",
        b"`",
        b" ",
        b"",
        b"M",
        b"MONDAY",
        b"M" + b"A" * 60,
        b"M" + b"A" * 58,
        b"#4$%6",
        b"#4$%6XY",
        b"QUJD" * 16,
        b"QUI=",
        b"Dear Jane,",
        b"THE END",
        b"\xff\xfe",
    ]
)
TEXTS = st.lists(LINES, max_size=40).flatmap(
    lambda lines: st.sampled_from([b"\n", b"\r\n"]).map(lambda end: end.join(lines))
)
GREETING, REGARDS = b"Dear Jane,\r\n\r\n", b"\r\nRegards,\r\nBob\r\n"


def uuencode(
    data: bytes,
    name: str = "minutes.txt",
    *,
    grave: bool = True,
    stripped: bool = False,
) -> bytes:
    lines = [
        b2a_uu(data[at : at + 45], backtick=grave).rstrip(b"\n")
        for at in range(0, len(data), 45)
    ]
    if stripped:
        lines = [line.rstrip(b" ") for line in lines]
    nothing = b"`" if grave else b"" if stripped else b" "
    return b"\r\n".join((b"begin 644 " + name.encode(), *lines, nothing, b"end", b""))


def begin_base64(data: bytes, name: str = "minutes.txt") -> bytes:
    encoded = encodebytes(data).replace(b"\n", b"\r\n")
    return b"begin-base64 644 " + name.encode() + b"\r\n" + encoded + b"====\r\n"


def content(data: bytes, file: FilePiece) -> bytes:
    return transfer_encoding.decode(data, file.encoding, *file.content)


def files(data: bytes) -> list[FilePiece]:
    return [piece for piece in uuencoded.split(data) if isinstance(piece, FilePiece)]


@given(st.binary(min_size=1, max_size=400), st.booleans(), st.booleans())
def test_a_file_between_texts_is_found_whole(
    file: bytes, grave: bool, stripped: bool
) -> None:
    encoded = uuencode(file, grave=grave, stripped=stripped)
    data = GREETING + encoded + REGARDS

    before, found, after = uuencoded.split(data)

    assert isinstance(found, FilePiece)
    assert content(data, found).rstrip(b"\0") == file.rstrip(b"\0")
    assert content(data, found) == file or stripped
    assert (found.name, found.is_finished) == ("minutes.txt", True)
    assert data[found.start : found.end] == encoded
    assert data[before.start : before.end] == GREETING
    assert data[after.start : after.end] == REGARDS


@given(st.binary(max_size=400))
def test_so_is_one_in_base64(file: bytes) -> None:
    data = GREETING + begin_base64(file, "agenda für Juli.pdf") + REGARDS

    (found,) = files(data)

    assert content(data, found) == file
    assert found.name == "agenda für Juli.pdf"
    assert data[: found.start] == GREETING
    assert data[found.end :] == REGARDS


@given(TEXTS)
def test_every_octet_is_in_one_piece(data: bytes) -> None:
    pieces = uuencoded.split(data)

    assert b"".join(data[p.start : p.end] for p in pieces) == data
    assert all(piece.start < piece.end for piece in pieces) or pieces == [
        TextPiece(0, 0)
    ]
    for piece in pieces:
        if isinstance(piece, FilePiece):
            content(data, piece)


@given(TEXTS)
def test_every_line_that_a_person_wrote_stays_text(data: bytes) -> None:
    text = b"\n".join(
        data[piece.start : piece.end]
        for piece in uuencoded.split(data)
        if isinstance(piece, TextPiece)
    )

    for line in (b"Dear Jane,", b"begin the day", b"\xff\xfe"):
        assert text.count(line) == data.count(line)


@given(TEXTS)
def test_a_scanner_sees_every_file_that_a_reader_sees(data: bytes) -> None:
    loose = list(uuencoded.loosely(data))

    for piece in files(data):
        assert any(content(data, piece) in octets for octets in loose)


def test_lines_that_say_more_than_they_hold_take_little_memory() -> None:
    data = b"begin 644 zeros.bin\n" + b"_\n" * 200_000
    tracemalloc.start()

    decoded = uuencoded.decode(data)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(decoded) <= uuencoded._MAX_LOST
    assert most < 8 * 1024 * 1024


def test_two_files_follow_each_other() -> None:
    data = uuencode(FILE, "one.txt") + begin_base64(b"two", "two.txt") + uuencode(b"3")

    assert [file.name for file in files(data)] == ["one.txt", "two.txt", "minutes.txt"]
    assert [content(data, file) for file in files(data)] == [FILE, b"two", b"3"]


@pytest.mark.parametrize("encode", [uuencode, begin_base64])
def test_a_file_that_breaks_off_keeps_its_full_lines(encode) -> None:  # type: ignore[no-untyped-def]
    whole = encode(FILE)
    data = whole[: whole.index(b"\r\n", 200) + 2] + b"The rest is in my next letter."

    found, rest = uuencoded.split(data)

    assert isinstance(found, FilePiece)
    assert not found.is_finished
    assert len(content(data, found)) >= 45
    assert FILE.startswith(content(data, found))
    assert data[rest.start :] == b"The rest is in my next letter."


@pytest.mark.parametrize(
    "text",
    [
        "begin 644 x",
        "We begin 644 x\nM\nend",
        "begin 644 x\nDear Jane,\nend\n",
        "begin 644 x\n\nend\n",
        "begin 644 x\nMONDAY AND TUESDAY\nthe hearing is open\n",
        "begin 644 x\n#4$%6\nand so on",
        "begin 9 x\n#4$%6\n`\nend\n",
        "begin the day with tea\nend it with rest\n",
        "begin-base64 644 x\nhello\n====\n",
        "begin-base64 644 x\nabcd\n",
        "> begin 644 x\n> #4$%6\n> `\n> end\n",
        "",
    ],
)
def test_prose_stays_text(text: str) -> None:
    data = text.encode()

    assert uuencoded.split(data) == [TextPiece(0, len(data))]


def test_a_program_may_write_a_checksum_behind_each_line() -> None:
    lines = uuencode(FILE).split(b"\r\n")
    data = b"\n".join(
        line + b"Z" if line[:1] in (b"M", b"3") else line for line in lines
    )

    (found,) = files(data)

    assert content(data, found) == FILE


def test_a_text_holds_a_bounded_number_of_files() -> None:
    data = uuencode(b"x") * (uuencoded.MAX_FILES + 5)

    assert len(files(data)) == uuencoded.MAX_FILES


@pytest.mark.parametrize(
    "unit",
    [
        b"begin 644 x\n",
        b"begin 644 x\nM" + b"A" * 60 + b"\n",
        b"begin 644 x\nMA\n",
        b"begin-base64 644 x\nAAAA\n",
        b"begin 644 x\n#4$%6\n",
    ],
)
def test_hostile_text_takes_linear_time(unit: bytes) -> None:
    data = unit * (8_000_000 // len(unit))
    started = time.process_time()
    uuencoded.split(data)

    assert time.process_time() - started < 8


def test_of_millions_of_files_only_those_that_are_asked_for_are_looked_for() -> None:
    data = b"begin 644 a\n" * 1_000_000
    tracemalloc.start()

    list(islice(uuencoded.loosely(data), uuencoded.MAX_FILES))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1024**2
