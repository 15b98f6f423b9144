"""Names of files in the charset that they are really in, as webmail offers them."""

from __future__ import annotations

import base64
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import file_names, parameters
from portal.webmail.rendering import parsed_message

GERMAN = "Prüfung \u2013 “Größe” €5.pdf"
SHORT = "Größe.pdf"
TURKISH = "I\u015f\u0131kl\u0131 \u015fark\u0131 de\u011fi\u015ftiri\u015fi.pdf"
# With two characters that vendors added to the standard, U+2460 and U+3231.
JAPANESE = "会議①資料㈱.pdf"
JAPANESE_JIS = b"\x1b$B2q5D-!;qNA-j\x1b(B.pdf"
CHINESE = "朱镕基.pdf"  # the second is in GBK alone


def percent(octets: bytes) -> bytes:
    return quote_from_bytes(octets, safe="").encode()


def extended(charset: bytes, octets: bytes) -> bytes:
    return b"filename*=%b''%b" % (charset, percent(octets))


def in_pieces(charset: bytes, *pieces: bytes) -> bytes:
    """Returns the pieces as RFC 2231 numbers them, all percent-encoded."""
    written = [percent(piece) for piece in pieces]
    written[0] = b"%b''%b" % (charset, written[0])
    return b"; ".join(b"filename*%d*=%b" % one for one in enumerate(written))


def words(charset: bytes, *pieces: bytes) -> bytes:
    """Returns the pieces as encoded words in quotes, which many programs write."""
    encoded = (b"=?%b?B?%b?=" % (charset, base64.b64encode(one)) for one in pieces)
    return b'filename="%b"' % b" ".join(encoded)


def quoted(octets: bytes) -> bytes:
    return b'filename="%b"' % octets


CASES = {
    "octets of UTF-8": (quoted(GERMAN.encode()), GERMAN),
    "octets of Windows": (quoted(GERMAN.encode("cp1252")), GERMAN),
    "octets of Windows without quotes": (b"filename=" + SHORT.encode("cp1252"), SHORT),
    "octets of Japanese": (quoted(JAPANESE_JIS), JAPANESE),
    "Windows called Latin-1": (
        extended(b"iso-8859-1", GERMAN.encode("cp1252")),
        GERMAN,
    ),
    "Windows called Latin-1, in a word": (
        words(b"iso-8859-1", GERMAN.encode("cp1252")),
        GERMAN,
    ),
    "UTF-8 called Latin-1": (extended(b"iso-8859-1", GERMAN.encode()), GERMAN),
    "Windows called UTF-8": (extended(b"utf-8", GERMAN.encode("cp1252")), GERMAN),
    "UTF-8 of an unknown name": (extended(b"x-unknown", GERMAN.encode()), GERMAN),
    "UTF-8 without a name": (extended(b"", GERMAN.encode()), GERMAN),
    "Windows without a name": (extended(b"", GERMAN.encode("cp1252")), GERMAN),
    "without apostrophes": (b"filename*=" + percent(GERMAN.encode()), GERMAN),
    "in quotes": (b"filename*=\"utf-8''%b\"" % percent(GERMAN.encode()), GERMAN),
    "Turkish called Latin-1": (
        extended(b"iso-8859-1", TURKISH.encode("cp1254")),
        TURKISH,
    ),
    "Japanese of vendors": (extended(b"iso-2022-jp", JAPANESE_JIS), JAPANESE),
    "Japanese of vendors, in a word": (words(b"iso-2022-jp", JAPANESE_JIS), JAPANESE),
    "Japanese of Windows": (extended(b"shift_jis", JAPANESE.encode("cp932")), JAPANESE),
    "GBK called GB 2312": (extended(b"gb2312", CHINESE.encode("gbk")), CHINESE),
    "UTF-16": (extended(b"utf-16", SHORT.encode("utf-16")), SHORT),
    "UTF-8 cut in a character": (
        in_pieces(b"utf-8", b"Gr\xc3", b"\xb6\xc3\x9fe.pdf"),
        SHORT,
    ),
    "UTF-8 cut in two words": (words(b"utf-8", b"Gr\xc3", b"\xb6\xc3\x9fe.pdf"), SHORT),
    "octets cut in a character": (
        b'filename*0="Gr\xc3"; filename*1="\xb6\xc3\x9fe.pdf"',
        SHORT,
    ),
    "Japanese cut in a character": (
        in_pieces(b"iso-2022-jp", JAPANESE_JIS[:6], JAPANESE_JIS[6:]),
        JAPANESE,
    ),
    "Japanese cut in two words": (
        words(b"iso-2022-jp", JAPANESE_JIS[:6], JAPANESE_JIS[6:]),
        JAPANESE,
    ),
    "Japanese of Windows cut in a character": (
        in_pieces(
            b"shift_jis", JAPANESE.encode("cp932")[:3], JAPANESE.encode("cp932")[3:]
        ),
        JAPANESE,
    ),
    "a word cut by numbers": (
        b'filename*0="=?utf-8?B?R3LDtg=="; filename*1="?= =?utf-8?B?w59l?=.pdf"',
        SHORT,
    ),
    "pieces out of order": (
        b"filename*1*=%C3%9Fe.pdf; filename*0*=utf-8''Gr%C3%B6",
        SHORT,
    ),
    "numbers from one": (
        b"filename*1*=utf-8''Gr%C3%B6; filename*2*=%C3%9Fe.pdf",
        SHORT,
    ),
    "a plain piece between": (
        b"filename*0*=utf-8''Gr%C3%B6; filename*1=\"x\"; filename*2*=%C3%9Fe.pdf",
        "Gröxße.pdf",
    ),
    "an ASCII name besides": (
        b"filename=\"Gr_e.pdf\"; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf",
        SHORT,
    ),
    "an empty one besides": (b"filename*=utf-8''; filename=\"a.pdf\"", "a.pdf"),
    "an unfinished character": (extended(b"utf-8", b"Gr\xc3.pdf"), "GrÃ.pdf"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("field", ["Content-Disposition", "Content-Type"])
def test_a_name_is_read_in_the_charset_that_it_is_really_in(
    case: str, field: str
) -> None:
    written, shown = CASES[case]
    if field == "Content-Type":
        fields = b"Content-Type: application/pdf; " + written.replace(
            b"filename", b"name"
        )
    else:
        fields = (
            b"Content-Type: application/pdf\r\nContent-Disposition: attachment; "
            + written
        )
    raw = b"From: jane@firm.example\r\n%b\r\n\r\n%%PDF-1.7\r\n" % fields

    [file] = parsed_message.parse_message(raw).attachments

    assert file.name == file_names.canonical(shown)
    assert shown in file.part.names


_PIECES = st.sampled_from(
    [
        *(
            b"filename",
            b"name",
            b"*0",
            b"*1",
            b"*",
            b"=",
            b"; ",
            b'"',
            b".exe",
            b".pdf",
        ),
        *(b"utf-8''", b"shift_jis''", b"utf-16''", b"utf-7''", b"%2E", b"exe", b"\\"),
        *(b"=?utf-8?B?LmV4ZQ==?=", b"=?iso-2022-jp?B?", b"?=", b"\x1b$B", b"\x1b(B"),
        *(
            b"\xe4",
            b"\xc3\xb6",
            b"%1B",
            b"\x81",
            b"%81.",
            b"%00.%00e%00x%00e",
            b"(",
            b")",
        ),
    ]
)


@given(st.lists(_PIECES, max_size=14).map(b"".join))
def test_the_ending_that_is_shown_is_among_those_that_are_judged(
    written: bytes,
) -> None:
    value = b"attachment; filename" + written
    _, named = parameters.parse(value)

    shown = file_names.canonical(named.get("filename") or named.get("name", ""))

    judged = file_names.endings(file_names.written_in([value]))
    assert file_names.endings([shown]) <= judged
