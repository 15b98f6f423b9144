"""Everything from outside is sent to clamd behind a header of ours."""

from __future__ import annotations

import tempfile
from base64 import encodebytes
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.interface import MAIL_HEADER
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.header import HeaderBlock
from engine.queue.enqueue import local_submission
from engine.queue.models import Source
from engine.queue.notifications import upload_scan
from engine.registry.models import ApiKey, Person
from tests import smime
from tests.engine.antivirus import pdfs, specimens
from tests.fakes import RecordingClamd
from tests.peers.clamd import Clamd

# The part of a stream in which clamd detects its type (libclamav 1.4,
# MAGIC_BUFFER_SIZE).
GUESSED_BY = 1024
INNER = b"Subject: Inside\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nYes."


def test_our_header_is_one_and_takes_up_all_that_clamd_guesses_by() -> None:
    names = [field.name for field in HeaderBlock.parse(MAIL_HEADER).fields]

    assert names == ["Received", "X-Postern-Scan"]
    assert MAIL_HEADER.startswith(b"Received: ")
    assert len(MAIL_HEADER) >= GUESSED_BY
    assert max(map(len, MAIL_HEADER.split(b"\r\n"))) < 80


@settings(max_examples=60, deadline=None)
@given(
    header=st.binary(max_size=300),
    rest=st.sampled_from([b"", b"\r\n", b"\r\n\r\nGood morning\r\n", bytes(70_000)]),
    chunk=st.sampled_from([1, 13, 4096, 100_000]),
)
def test_whatever_header_a_peer_writes_clamd_hears_ours_first(
    header: bytes, rest: bytes, chunk: int
) -> None:
    message = header + rest if len(rest) < 1000 or chunk > 1000 else header

    async def scan(target: str) -> None:
        scan = ClamdScanner(target).open()
        for start in range(0, len(message), chunk):
            await scan.feed(message[start : start + chunk])
        await scan.verdict()

    with tempfile.TemporaryDirectory() as folder, RecordingClamd(Path(folder)) as clamd:
        async_to_sync(scan)(clamd.socket)

    assert clamd.received == [MAIL_HEADER + message]


@pytest.mark.django_db
@pytest.mark.parametrize("source", [Source.WEBMAIL, Source.API, Source.SYSTEM])
def test_what_our_own_surfaces_send_is_heard_behind_our_header(
    bob: Person, alice: Person, recording_clamd: RecordingClamd, source: Source
) -> None:
    envelope = Envelope.simple(
        None if source == Source.SYSTEM else Address.parse(bob.address),
        Address.parse(alice.address),
    )
    raw = f"FROM:{bob.address}\r\n\r\nGood morning\r\n".encode()
    by: Person | ApiKey | None = None if source == Source.SYSTEM else bob

    local_submission.submit(raw, envelope=envelope, source=source, by=by)

    assert recording_clamd.received == [MAIL_HEADER + raw]


@pytest.mark.django_db
def test_a_file_that_somebody_brings_is_heard_as_a_part_behind_our_header(
    bob: Person, recording_clamd: RecordingClamd
) -> None:
    upload_scan.check_is_clean(b"name,address\n", by=bob)

    [heard] = recording_clamd.received
    assert heard.startswith(MAIL_HEADER + b"MIME-Version: 1.0\r\n")


def mixed(*kinds: str) -> bytes:
    """A message with attached messages, one of each type."""
    parts = (
        f"--b\r\nContent-Type: {kind}\r\n\r\n".encode() + INNER + b"\r\n"
        for kind in kinds
    )
    return (
        b"From: alice@firm.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"".join(parts)
        + b"--b--\r\n"
    )


def in_a_zip() -> bytes:
    return specimens.message(specimens.zipped(INNER)).replace(b"\n", b"\r\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "times", "files"),
    [
        (mixed("message/rfc822", "message/global", "message/news"), 3, 0),
        (in_a_zip(), 1, 1),
        (smime.message(smime.signed(INNER)), 1, 1),
    ],
    ids=["attached", "in a zip", "signed"],
)
def test_a_message_inside_is_heard_by_itself_behind_our_header(
    alice: Person, recording_clamd: RecordingClamd, raw: bytes, times: int, files: int
) -> None:
    envelope = Envelope.simple(None, Address.parse(alice.address))

    local_submission.submit(raw, envelope=envelope, source=Source.SYSTEM, by=None)

    inner = MAIL_HEADER + INNER
    heard = recording_clamd.received
    assert heard[: 1 + times] == [MAIL_HEADER + raw, *[inner] * times]
    assert len(heard[1 + times :]) == files
    assert all(one.startswith(MAIL_HEADER) for one in heard)


@pytest.mark.django_db
def test_a_file_that_is_signed_is_heard_as_a_part_behind_our_header(
    bob: Person, recording_clamd: RecordingClamd
) -> None:
    upload_scan.check_is_clean(smime.signed(b"name,address\n"), by=bob)

    [_, heard] = recording_clamd.received
    assert heard.startswith(MAIL_HEADER + b"MIME-Version: 1.0\r\n")
    assert heard.endswith(b"\r\n\r\n" + encodebytes(b"name,address\n"))


def test_a_pdf_that_only_forbids_printing_is_read_by_clamd_too(
    clamd: Clamd, settings
) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"clamd": clamd.socket})

    for data in (pdfs.OPEN_40, pdfs.OPEN_128, pdfs.OPEN_AES_128, pdfs.OPEN_AES_256):
        assert message_scan.scan_bytes(specimens.message(data)).is_clean
    assert message_scan.scan_bytes(specimens.message(pdfs.LOCKED_AES_256)).is_encrypted
