"""Files that are uuencoded within a text, or in winmail.dat, are judged like attachments."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from engine.antivirus.attachments import policy
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
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
