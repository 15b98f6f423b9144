"""winmail.dat: its files exact, its texts readable, and no octets that harm."""

from __future__ import annotations

import random
import struct
import time
from functools import cache
from pathlib import Path

import pytest
from compressed_rtf import compress
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import rtf, tnef
from tests import winmail
from tests.peers import tnef as debian

FILE = bytes(range(256)) * 3 + b"\0\0\0"
NAMES = st.text("abcäß Ł日", min_size=1, max_size=20).map(lambda name: f"x{name}.pdf")
HTML = "<p>Grüße und „Anführung“</p>"


def content(data: bytes, file: tnef.TnefFile) -> bytes:
    return data[file.start : file.end]


def opened(data: bytes) -> tnef.Tnef:
    found = tnef.read(data)
    assert found is not None
    return found


SAMPLES = {
    "one file": winmail.write(winmail.attachment(FILE, "minutes.pdf")),
    "a title alone": winmail.write(winmail.attachment(FILE, title="MINUTES.PDF")),
    "both names": winmail.write(
        winmail.attachment(FILE, "minutes of July.pdf", title="MINUTE~1.PDF")
    ),
    "two files": winmail.write(
        winmail.attachment(b"one\0\0", "one.txt"), winmail.attachment(FILE, "two.pdf")
    ),
    "body and properties": winmail.write(
        winmail.attachment(FILE, "minutes.pdf"),
        written=(
            winmail.text(0x0037, "Agenda"),
            winmail.text(0x1000, "Dear Jane"),
            winmail.named(0x8234, b"12345"),
            winmail.named(0, b"12345"),
            struct.pack("<HHIHH", 0x1002, 0x6001, 2, 7, 8),
            winmail.variable(0x101E, 0x6002, b"a\0", b"bc\0"),
        ),
    ),
    "an attached message": winmail.write(
        winmail.attached_message(winmail.write(winmail.attachment(FILE, "inner.pdf"))),
        winmail.attachment(b"x", "outer.txt"),
    ),
    "an empty file": winmail.write(winmail.attachment(b"", "empty.txt")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_debians_tnef_finds_the_same_files(name: str, tmp_path: Path) -> None:
    data = SAMPLES[name]

    files = list(opened(data).files)
    for file in files:
        files += file.message.files if file.message else ()

    assert debian.extract(tmp_path, data) == {
        file.name: content(data, file) for file in files if not file.is_message
    }


@given(
    st.lists(
        st.tuples(st.binary(max_size=300), NAMES, st.sampled_from([0, 0x102, 13]))
    ),
    st.text(max_size=50).map(lambda text: text.replace("\0", "")),
)
def test_every_file_and_the_text_come_back(
    files: list[tuple[bytes, str, int]], text: str
) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16").lstrip("\ufeff")
    data = winmail.write(
        *(winmail.attachment(octets, name, kind=kind) for octets, name, kind in files),
        written=[winmail.text(0x1000, text)],
    )

    found = opened(data)

    assert [content(data, file) for file in found.files] == [file[0] for file in files]
    assert [file.names for file in found.files] == [{file[1]} for file in files]
    assert (found.text, found.is_whole) == (text, True)


def test_types_names_and_content_ids_are_told() -> None:
    data = winmail.write(
        winmail.attachment(
            FILE,
            "Überblick.png",
            title="BERBLI~1.PNG",
            content_type="image/png",
            content_id="<picture@firm.example>",
        )
    )

    (file,) = opened(data).files

    assert (file.name, file.content_type) == ("Überblick.png", "image/png")
    assert file.names == {"Überblick.png", "BERBLI~1.PNG"}
    assert file.content_id == "picture@firm.example"


def test_an_attached_message_is_opened_with_its_files() -> None:
    inner = winmail.write(
        winmail.attachment(FILE, "inner.pdf"),
        written=[winmail.text(0x37, "Agenda"), winmail.text(0x1000, "See below")],
    )
    data = winmail.write(winmail.attached_message(inner, "Agenda"))

    (file,) = opened(data).files

    assert (file.is_message, file.name) == (True, "Agenda")
    assert content(data, file) == inner
    assert file.message is not None
    assert (file.message.subject, file.message.text) == ("Agenda", "See below")
    assert content(data, file.message.files[0]) == FILE


def test_a_stored_object_begins_behind_its_class() -> None:
    data = winmail.write(
        winmail.attachment(winmail.STORAGE_CLASS + FILE, "chart.bin", kind=0x0D)
    )

    assert content(data, opened(data).files[0]) == FILE


@pytest.mark.parametrize(
    ("codepage", "codec"),
    [(1252, "cp1252"), (1254, "cp1254"), (932, "cp932"), (65001, "utf-8")],
)
def test_texts_are_read_in_the_charset_of_the_sender(codepage: int, codec: str) -> None:
    text = "会議室" if codec == "cp932" else "Straße “here”"
    data = winmail.write(
        winmail.attribute(1, 0x800C, 2, text.encode(codec) + b"\0"),
        winmail.attachment(b"x", title=f"{text}.txt", codepage=codec),
        codepage=codepage,
    )

    found = opened(data)

    assert found.text == text
    assert found.files[0].names == {f"{text}.txt"}


@pytest.mark.parametrize(("number", "codec"), [(65001, "utf-8"), (1252, "cp1252")])
def test_html_is_read_in_the_charset_that_it_says(number: int, codec: str) -> None:
    data = winmail.write(
        written=[
            winmail.variable(0x1013, winmail.BINARY, HTML.encode(codec)),
            winmail.integer(0x3FDE, number),
        ]
    )

    assert opened(data).html == HTML


RICH = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset204 X;}}"
    rb"{\colortbl;\red0;}{\*\generator Riched20;}\pard Dear J\'e4ne,\par\par "
    rb"\u8222?Quote\u8220? {\b bold} \{braces\}\line {\f1 \'c7\'e4}\tab end"
    rb"\u-10179?\u-8704?{\pict\bin4 }{}}\par}"
)
CYRILLIC = b"\xc7\xe4".decode("cp1251")
RICH_TEXT = f"Dear Jäne,\n\n„Quote“ bold {{braces}}\n{CYRILLIC}\tend😀"


@pytest.mark.parametrize("compressed", [True, False])
def test_without_another_body_the_rich_text_is_read(compressed: bool) -> None:
    octets = compress(RICH, compressed)
    data = winmail.write(written=[winmail.variable(0x1009, winmail.BINARY, octets)])

    assert opened(data).text == RICH_TEXT
    assert opened(data).is_whole


@given(st.lists(st.sampled_from([b"{\\rtf1", b"\\par ", b"abc", b"a" * 40, b"\0"])))
def test_compressed_rich_text_is_what_was_compressed(pieces: list[bytes]) -> None:
    plain = b"".join(pieces)

    assert rtf.decompress(compress(plain), 10_000) == (plain, True)
    assert rtf.decompress(compress(plain), 5) == (plain[:5], len(plain) <= 5)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_octets_of_rich_text_raise(octets: bytes, text: bytes) -> None:
    rtf.to_text(b"{\\rtf1 " + text)
    try:
        plain, _ = rtf.decompress(
            struct.pack("<II", len(octets) + 12, 500) + b"LZFu\0\0\0\0" + octets, 500
        )
    except ValueError:
        return
    assert len(plain) <= 500


def test_what_is_no_winmail_is_not_opened() -> None:
    assert tnef.read(b"") is None
    assert tnef.read(b"%PDF-1.7") is None
    assert tnef.is_tnef(SAMPLES["one file"][:4])


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2000), st.randoms())
def test_what_is_damaged_is_opened_as_far_as_it_goes(
    name: str, at: int, chance: random.Random
) -> None:
    data = bytearray(SAMPLES[name])
    start = min(at, len(data) - 1)
    data[start : start + 4] = chance.choice(
        [b"", b"\xff\xff\xff\xff", b"\0\0\0\0", chance.randbytes(4)]
    )

    found = tnef.read(bytes(data))

    for file in found.files if found else ():
        assert 0 <= file.start <= file.end <= len(data)


def test_what_is_cut_off_is_told() -> None:
    data = SAMPLES["two files"]

    for end in range(6, len(data)):
        found = opened(data[:end])
        assert len(found.files) <= 2
    assert not opened(data[:-30]).is_whole
    assert opened(data).is_whole


@cache
def hostile() -> list[bytes]:
    """Returns files whose counts, lengths or number say more than they may."""
    size = 4_000_000
    endless = struct.pack("<I", 0xFFFFFFFF)
    many_short = struct.pack("<IHHI", 1, 0x1002, 0x6001, 0xFFFFFFFF)
    many_texts = struct.pack("<IHHI", 1, 0x1E, 0x1000, 0xFFFFFFFF)
    bomb = struct.pack("<II", 0xFFFF, 0xFFFFFFFF) + b"LZFu\0\0\0\0"
    references = (207 + 17 * number << 4 & 0xFFF0 | 15 for number in range(size // 3))
    distant = [(reference - 16 & 0xFFF0) | 15 for reference in references]
    bomb += b"".join(
        b"\xff" + struct.pack(">8H", *distant[at : at + 8])
        for at in range(0, len(distant) - 8, 8)
    )
    nested = winmail.write()
    for _ in range(200):
        nested = winmail.write(winmail.attached_message(nested))
    one = winmail.attachment(b"", "x")
    return [
        winmail.write(winmail.attribute(1, 0x9003, 6, value + b"\0" * size))
        for value in (endless, many_short, many_texts)
    ] + [
        winmail.write(*[one] * (size // len(one))),
        winmail.SIGNATURE + winmail.attribute(1, 0x8004, 1, b"") * (size // 11),
        winmail.write(written=[winmail.variable(0x1009, winmail.BINARY, bomb)]),
        winmail.write(winmail.attribute(1, 0x9004, 6, endless + b"\0" * size)),
        nested,
    ]


@pytest.mark.parametrize("number", range(8))
def test_hostile_files_take_little_time(number: int) -> None:
    data = hostile()[number]
    started = time.process_time()
    found = opened(data)

    assert time.process_time() - started < 5
    assert len(found.files) <= tnef.MAX_FILES


def test_messages_are_opened_to_a_depth() -> None:
    data = winmail.write()
    for _ in range(20):
        data = winmail.write(winmail.attached_message(data))
    message, depth = tnef.read(data), 0
    while message and message.files:
        message, depth = message.files[0].message, depth + 1

    assert depth == tnef.MAX_DEPTH + 1
    assert not opened(data).is_whole
