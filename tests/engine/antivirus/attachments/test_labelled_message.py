"""A file is not treated as a message or a text because its label says so."""

from __future__ import annotations

import base64

import pytest

from engine.antivirus.attachments import policy
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import MESSAGES
from tests import smime
from tests.engine.antivirus import archives, pdfs, specimens
from tests.engine.antivirus.scanners.test_coverage_proof import attached

FILES = {
    "rar": archives.rar5({"a.txt": b"x"}),
    "7z": attached("7z"),
    "encrypted zip": specimens.encrypted_zip(),
    "program in a zip": specimens.zipped_under({"run.exe": specimens.program()}),
    "program": specimens.program(),
    "PDF with a password": pdfs.LOCKED_AES_256,
    "office document with a password": archives.compound(
        {"EncryptionInfo": b"x", "EncryptedPackage": b"x"}
    ),
    "encrypted mail": smime.enveloped(b"Good morning"),
}
NOT_FILES = {
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "a zip": specimens.zipped(b"x"),
}


def refusal_of(data: bytes, label: str) -> str:
    """Returns the refusal, or an empty string."""
    name = "" if label == "text/plain" else '; name="papers.dat"'
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        + f"Content-Type: {label}{name}\r\n".encode()
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(data).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )
    try:
        policy.check_can_carry(walk(*split(raw), strict=True), unopened={"rar", "7z"})
    except PermanentFailure as refusal:
        return refusal.reply.text
    return ""


@pytest.mark.parametrize("label", [*sorted(MESSAGES), "text/plain"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_refused_whatever_it_is_called(kind: str, label: str) -> None:
    refusal = refusal_of(FILES[kind], "application/octet-stream")

    assert refusal
    assert refusal_of(FILES[kind], label) == refusal


@pytest.mark.parametrize("label", [*sorted(MESSAGES), "text/plain"])
@pytest.mark.parametrize("kind", NOT_FILES)
def test_and_is_carried_whatever_it_is_called(kind: str, label: str) -> None:
    assert refusal_of(NOT_FILES[kind], "application/octet-stream") == ""
    assert refusal_of(NOT_FILES[kind], label) == ""


@pytest.mark.parametrize("label", sorted(MESSAGES))
def test_a_message_that_is_one_is_carried(label: str) -> None:
    page = b"From: a@firm.example\r\nContent-Type: text/html\r\n\r\n<html><p>Yes."

    assert refusal_of(page, label) == ""
