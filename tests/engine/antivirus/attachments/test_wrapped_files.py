"""Files that are uuencoded within a text, or in winmail.dat, are judged like attachments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import pytest

from engine.antivirus.attachments import policy
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.mail.mime.uuencoded import MAX_FILES
from tests import winmail

PROGRAM = b"MZ" + bytes(100)
HARMLESS = b"Minutes of the meeting\n" * 4


def uuencoded(name: str, content: bytes = PROGRAM) -> bytes:
    lines = base64.encodebytes(content)
    text = b"begin-base64 644 " + name.encode() + b"\n" + lines + b"====\n"
    return b"Content-Type: text/plain\r\n\r\n" + text.replace(b"\n", b"\r\n")


def in_winmail(name: str, content: bytes = PROGRAM, *, inner: bool = False) -> bytes:
    data = winmail.write(winmail.attachment(content, name))
    if inner:
        data = winmail.write(winmail.attached_message(data))
    return (
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)
    )


@pytest.mark.parametrize(
    "raw",
    [
        uuencoded("tool.exe"),
        in_winmail("tool.exe"),
        in_winmail("tool.exe", inner=True),
        uuencoded("notes.txt"),
        in_winmail("notes.txt"),
    ],
    ids=[
        "uuencoded",
        "winmail",
        "winmail in winmail",
        "by content",
        "by content, winmail",
    ],
)
def test_a_program_is_refused_however_it_is_wrapped(raw: bytes) -> None:
    with pytest.raises(PermanentFailure, match="exe"):
        policy.check_can_carry(walk(*split(raw), strict=True))


@pytest.mark.parametrize("wrap", [uuencoded, in_winmail])
def test_each_file_is_scanned_by_itself(wrap: Callable[..., bytes]) -> None:
    raw = wrap("notes.txt", content=HARMLESS)

    examined = policy.check_can_carry(walk(*split(raw), strict=True))

    assert HARMLESS in [b"".join(one.pieces()) for one in examined.inner]


LINE = binascii.b2a_uu(HARMLESS[:45])
BEGIN = b"begin 644 notes.txt\n"
BROKEN = {
    "no last line": BEGIN + LINE,
    "a line that is too long": BEGIN + b"(0  x\n" + LINE + b"end\n",
    "text before the first line of it": BEGIN + b"please see:\n" + LINE + b"end\n",
    "base64 without a last line": (
        b"begin-base64 644 notes.txt\n" + base64.encodebytes(HARMLESS[:45])
    ),
    "base64 with text in it": (
        b"begin-base64 644 notes.txt\n-\n" + base64.encodebytes(HARMLESS[:45])
    ),
}
KINDS = [
    "text/plain",
    "text/html",
    "text/plain; name=x.txt\r\nContent-Disposition: attachment",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_scanned_as_lenient_programs_decode_it(
    case: str, kind: str
) -> None:
    text = b"Dear Jane,\n\n" + BROKEN[case] + b"\nRegards\n"
    fields = f"Content-Type: {kind}\r\n\r\n".encode()

    examined = policy.check_can_carry(walk(fields, text, strict=True))

    seen = [b"".join(one.pieces()) for one in examined.inner]
    assert any(HARMLESS[:45] in octets for octets in seen)


def test_an_uploaded_text_is_scanned_in_the_same_way() -> None:
    file = policy.File("notes.txt", "text/plain", BEGIN + LINE + b"end\n")

    examined = policy.check_can_carry([file])

    assert HARMLESS[:45] in [b"".join(one.pieces()) for one in examined.inner]


def test_a_text_with_more_files_than_are_scanned_is_refused() -> None:
    text = (BEGIN + LINE + b"end\n") * (MAX_FILES + 1)

    with pytest.raises(PermanentFailure, match="more files than can be looked into"):
        policy.check_can_carry(
            walk(b"Content-Type: text/plain\r\n\r\n", text, strict=True)
        )


def test_a_text_without_files_is_not_scanned_twice() -> None:
    text = b"We begin 644 metres from there.\nbegin at 10:00\nend\n"

    examined = policy.check_can_carry(
        walk(b"Content-Type: text/plain\r\n\r\n", text, strict=True)
    )

    assert examined.inner == []
