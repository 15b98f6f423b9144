from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.message import split
from engine.mail.mime.part_walker import TooManyParts, walk
from engine.mail.mime.parts import Part

NESTED = b"""\
Content-Type: multipart/mixed; boundary="out er"

preamble --out er
--out er
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

J=E4ne
--innermost is not a delimiter
--inner
Content-Type: text/html

<p>x</p>
--inner--
epilogue
--out er\x20\x20
Content-Type: image/png; name="logo.png"
Content-ID: <logo@x>
Content-Transfer-Encoding: BASE64

iVBORw0KGgo=
--out er
Content-Type: message/rfc822

Subject: inside
Content-Type: multipart/mixed; boundary=deep

--deep

text
--deep
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf
Content-Type: application/pdf

%PDF
--out er--
""".replace(b"\n", b"\r\n")


def parts_of(raw: bytes) -> list[Part]:
    return list(walk(*split(raw), strict=True))


def test_parts_of_a_nested_message() -> None:
    seen = [
        (
            part.path,
            part.content_type,
            part.filename,
            part.is_attachment,
            part.is_nested,
        )
        for part in parts_of(NESTED)
    ]

    assert seen == [
        ("1.1", "text/plain", "", False, False),
        ("1.2", "text/html", "", False, False),
        ("2", "image/png", "logo.png", False, False),
        ("3", "message/rfc822", "", True, False),
        ("3.1", "text/plain", "", False, True),
        ("3.2", "application/pdf", "résumé.pdf", True, True),
    ]


def test_content_of_parts() -> None:
    text, html, image, message, inner, pdf = parts_of(NESTED)

    assert text.text() == "Jäne\r\n--innermost is not a delimiter"
    assert html.data() == b"<p>x</p>"
    assert image.data() == b"\x89PNG\r\n\x1a\n"
    assert image.content_id == "logo@x"
    assert message.data().startswith(b"Subject: inside\r\n")
    assert inner.data() == b"text"
    assert pdf.data() == b"%PDF"


def test_message_with_one_part() -> None:
    [part] = parts_of(b"Subject: x\r\n\r\nhello\r\n")

    assert (part.path, part.content_type, part.text()) == (
        "1",
        "text/plain",
        "hello\r\n",
    )


def test_message_that_is_a_message() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhello"

    assert [part.path for part in parts_of(raw)] == ["1", "1.1"]


def test_message_encoded_against_the_rules_is_opened() -> None:
    inner = base64.b64encode(b"Content-Type: application/x-bad\r\n\r\nbad")
    header = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )

    assert parts_of(header + inner)[1].data() == b"bad"


def test_digest_holds_messages() -> None:
    raw = (
        b"Content-Type: multipart/digest; boundary=x\r\n\r\n"
        b"--x\r\n\r\nSubject: a\r\n\r\nb\r\n--x--"
    )

    assert [part.content_type for part in parts_of(raw)] == [
        "message/rfc822",
        "text/plain",
    ]


@pytest.mark.parametrize(
    ("header", "body", "data"),
    [
        (b"Content-Type: multipart/mixed", b"--x\r\n\r\na", b"--x\r\n\r\na"),
        (b"Content-Type: multipart/mixed; boundary=x", b"no parts", b"no parts"),
        (b"Content-Type: multipart/mixed; boundary=x", b"--x\r\n\r\na", b"a"),
        (b"Content-Type: multipart/mixed; boundary=x", b"--x\nA: b\n\na\n--x--\n", b"a"),
        (b"Content-Type: multipart/mixed; boundary=x", b"--x\r\na", b""),
        (b'Content-Type: multipart/mixed; boundary="=?utf-8?q?a?="',
         b"--=?utf-8?q?a?=\r\n\r\na\r\n--=?utf-8?q?a?=--", b"a"),
        (b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b", b"--ab\r\n\r\na", b"a"),
        (b"Content-Type: \xff", b"a", b"a"),
        (b"Content-Type:\r\n multipart/mixed;\r\n\tboundary = x", b"--x\r\n\r\na", b"a"),
    ],
)  # fmt: skip
def test_broken_multiparts(header: bytes, body: bytes, data: bytes) -> None:
    [part] = walk(header + b"\r\n\r\n", body)

    assert part.data() == data


@pytest.mark.parametrize(
    ("encoding", "body", "data"),
    [
        (b"base64", b"YWJj\r\nZGU=", b"abcde"),
        (b"base64", b"YWJj\r\nZGU", b"abcde"),
        (b"base64", b"YW!J j\r\nZ", b"abc"),
        (b"base64", b"YQ==\r\nYmM=\r\n", b"abc"),
        (b"Quoted-Printable ", b"a=3Db=\r\nc=ZZ", b"a=bc=ZZ"),
        (b"x-uuencode", b"begin 644 x\r\n#86)C\r\n`\r\nend\r\n", b"abc"),
        (b"x-uuencode", b"nothing begins", b"nothing begins"),
        (b"x-uuencode", b"begin 644 x\r\n\xff\xfe\r\n#86)C\r\nend\r\n", b"abc"),
        (b"7bit", b"a=3D", b"a=3D"),
        (b"unheard-of", b"a=3D", b"a=3D"),
    ],
)
def test_transfer_encodings(encoding: bytes, body: bytes, data: bytes) -> None:
    [part] = walk(b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n", body)

    assert part.data() == data


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        (b'attachment; filename="a.pdf"', "a.pdf"),
        (b"attachment; filename=a.pdf; size=1", "a.pdf"),
        (b'attachment; filename="a\\"b;c.pdf"', "a_b;c.pdf"),
        (b'attachment; filename="=?utf-8?q?r=C3=A9sum=C3=A9?="', "résumé"),
        (b"attachment; filename*=iso-8859-1'en'r%E9sum%E9", "résumé"),
        (b"attachment; filename*0*=utf-8''r%C3; filename*1*=%A9; filename*2=x", "réx"),
        (b"attachment; filename=\"bad.txt\"; filename*=utf-8''good.txt", "good.txt"),
        (b'attachment; filename="../../etc/passwd"', "passwd"),
        (b'attachment; filename="C:\\\\a\\\\b.exe"', "b.exe"),
        (b'attachment; filename="a\x00b\x01.pdf"', "ab.pdf"),
        (b'attachment; filename="' + b"x" * 5000 + b'.exe"', "x" * 116 + ".exe"),
        (b'attachment; filename="cod.\xe2\x80\xaefdp.exe"', "cod.fdp.exe"),
        (b"attachment; filename*=unheard''%FF", "ÿ"),
        (b"attachment; filename", ""),
        (b";;;;=;*=;*0=x", ""),
    ],
)
def test_names_of_files(disposition: bytes, filename: str) -> None:
    [part] = walk(b"Content-Disposition: " + disposition + b"\r\n\r\n", b"x")

    assert part.filename == filename


def test_charsets_that_are_no_charsets() -> None:
    for charset in (b"hex", b"unicode_escape", b"../x", b'"a\x00b"', b"\xff"):
        [part] = walk(
            b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n", b"+AGE-\\n"
        )
        assert part.text() == "+AGE-\\n"


def test_what_is_too_deep_is_one_part_or_refused() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\n" * 40

    assert len(list(walk(*split(raw)))) == 31
    with pytest.raises(TooManyParts):
        parts_of(raw)


words = st.sampled_from(
    [
        "Content-Type:",
        "multipart/mixed;",
        "boundary=a",
        "message/rfc822",
        "text/plain",
        "--a",
        "--a--",
        "--",
        '"',
        ";",
        "é",
        "\x00",
        "\n",
        "\r\n",
        "\r\n\r\n",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition:",
        "attachment; filename*0*=%",
    ]
)


@given(st.lists(words, max_size=40).map("".join))
def test_any_message_can_be_walked(text: str) -> None:
    for part in walk(*split(text.encode())):
        assert len(part.data()) <= len(text.encode())
        assert len(part.text()) <= len(text.encode())
        assert not {"Cc", "Cs"} & set(map(unicodedata.category, part.filename))


@pytest.mark.parametrize(
    ("encoding", "body", "has_nul"),
    [
        (b"7bit", b"text" * 500, False),
        (b"8bit", b"te\0xt", True),
        (b"8bit", b"x" * 1024 + b"\0", False),
        (b"quoted-printable", b"=4D text=\r\n and more", False),
        (b"quoted-printable", b"te=00xt", True),
        (b"quoted-printable", b"te\0xt", True),
        (b"quoted-printable", b"=78" * 1024 + b"=00", False),
        (b"base64", base64.b64encode(b"te\0xt"), True),
        (b"base64", base64.b64encode(b"x" * 1024 + b"\0"), False),
    ],
)
def test_nul_at_the_start_of_a_part(
    encoding: bytes, body: bytes, has_nul: bool
) -> None:
    header = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    (part,) = walk(header, body)
    assert part.has_nul(1024) is has_nul


@pytest.mark.parametrize("blanks", [0, 1, 1023, 1024, 1025, 5000, 20_000])
def test_blanks_behind_a_delimiter_hide_no_part(blanks: int) -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b"
        + b" " * blanks
        + b"\r\nContent-Disposition: attachment; filename=two.txt\r\n\r\ntwo\r\n--b--"
        + b"\t" * blanks
        + b"\r\nbehind"
    )

    assert [part.data() for part in parts_of(raw)] == [b"one", b"two"]


def test_words_behind_a_delimiter_make_it_text() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b"
        + b" " * 5000
        + b"x\r\ntwo\r\n--b--"
    )

    [part] = parts_of(raw)

    assert part.data().endswith(b"x\r\ntwo")
