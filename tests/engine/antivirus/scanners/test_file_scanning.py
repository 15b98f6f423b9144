"""The scanner gets the content of every file decoded, whatever the MIME structure.

Scanners parse MIME in their own ways, and their verdicts must not depend on it.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.inner_content import Inner
from engine.antivirus.scanners.interface import MAIL_HEADER
from engine.antivirus.verdict import Verdict, VerdictState
from engine.mail.message import split
from engine.mail.mime.boundaries import Region
from engine.mail.mime.part_walker import walk
from tests.engine.antivirus import specimens
from tests.fakes import RecordingClamd
from tests.peers.clamd import EICAR, SIGNATURE, Clamd

CLEAN = Verdict(VerdictState.CLEAN)
TOP = b"From: jane@firm.example\r\nSubject: The papers\r\nMIME-Version: 1.0\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\nPlease find them attached."
SUBTYPES = (
    *("mixed", "alternative", "related", "report", "digest", "parallel", "signed"),
    *("form-data", "byteranges", "appledouble", "header-set", "voice-message", "x-own"),
)
TYPES = (
    *("application/octet-stream", "application/pdf", "application/ms-tnef"),
    *("application/pkcs7-signature", "image/png", "audio/basic", "video/mp4"),
    *("text/csv", "text/calendar", "text/rfc822-headers", "model/vrml", "font/woff"),
    *("message/delivery-status", "message/http", "message/rfc822", "x-own/type"),
)
SPELLINGS = (b": ", b":", b":\t", b" : ", b"\t:", b":\r\n ", b":  ")


def multipart(*parts: bytes, subtype: str = "mixed", colon: bytes = b": ") -> bytes:
    """Returns an entity with a header, and these parts between its own delimiters."""
    boundary = b"==%d==" % sum(map(len, parts))
    kind = b"Content-Type%bmultipart/%b; boundary=" % (colon, subtype.encode())
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return kind + b'"%b"\r\n\r\n%b--%b--\r\n' % (boundary, lines, boundary)


def attached(
    octets: bytes,
    *,
    kind: str = "application/octet-stream",
    colon: bytes = b": ",
    encode=base64.encodebytes,
) -> bytes:
    """Returns a file as a part of a message, in base64."""
    return (
        b"Content-Type%b%b\r\n" % (colon, kind.encode())
        + b"Content-Disposition: attachment; filename=papers.bin\r\n"
        + b"Content-Transfer-Encoding%bbase64\r\n\r\n" % colon
        + encode(octets).replace(b"\n", b"\r\n")
    )


def scanner_input(raw: bytes) -> list[bytes]:
    """Returns what the scanner receives in addition to the message itself."""
    examined = policy.check_can_carry(walk(*split(raw), strict=True))
    with tempfile.TemporaryDirectory() as folder, RecordingClamd(Path(folder)) as clamd:
        scan = async_to_sync(message_scan.scan_inner_with)
        scan(ClamdScanner(clamd.socket), examined.inner, CLEAN)
        return clamd.received


def files(heard: list[bytes]) -> Iterator[bytes]:
    """Yields the files in what the scanner received, each as a simple attachment."""
    for one in heard:
        assert one.startswith(MAIL_HEADER)
        message = message_from_bytes(one)
        if message.get("MIME-Version") == "1.0" and "Subject" not in message:
            yield from (
                part.get_payload(decode=True)
                for part in message.walk()
                if part.get_content_type() == "application/octet-stream"
            )


FILE = b"\x01A brief, and nothing else.\xff"


def encode_in_segments(octets: bytes) -> bytes:
    """Encodes each third in base64 separately, with its own padding."""
    size = len(octets) // 3
    pieces = (octets[:size], octets[size : 2 * size], octets[2 * size :])
    return b"".join(map(base64.encodebytes, pieces))


STRUCTURES = {
    **{
        f"{subtype}, {'first' if is_first else 'last'}": multipart(
            *([attached(FILE), TEXT] if is_first else [TEXT, attached(FILE)]),
            subtype=subtype,
        )
        for subtype in SUBTYPES
        for is_first in (True, False)
    },
    **{kind: multipart(TEXT, attached(FILE, kind=kind)) for kind in TYPES},
    **{
        f"colon {colon!r}": multipart(TEXT, attached(FILE, colon=colon), colon=colon)
        for colon in SPELLINGS
    },
    "alone": attached(FILE),
    "in pieces": multipart(TEXT, attached(FILE, encode=encode_in_segments)),
    "without lines": multipart(TEXT, attached(FILE, encode=base64.b64encode)),
    "quoted-printable": multipart(
        TEXT,
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + b"".join(b"=%02X" % octet for octet in FILE),
    ),
    "8bit": multipart(TEXT, b"Content-Type: image/png\r\n\r\n" + FILE),
    "deep": multipart(multipart(multipart(TEXT, attached(FILE)), TEXT), TEXT),
    "forwarded": multipart(
        TEXT, b"Content-Type: message/rfc822\r\n\r\n" + TOP + attached(FILE)
    ),
    "in an archive": multipart(
        TEXT, attached(specimens.zipped(TOP + multipart(TEXT, attached(FILE))))
    ),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_file_is_heard_decoded(name: str) -> None:
    assert FILE in files(scanner_input(TOP + STRUCTURES[name]))


FILES = st.binary(min_size=1, max_size=200).map(lambda octets: b"\x01file:" + octets)
COLONS = st.sampled_from(SPELLINGS)


@st.composite
def entities(draw, depth: int = 0) -> tuple[bytes, list[bytes]]:
    """Draws an entity, and the files in it."""
    kind = draw(st.sampled_from(("file", "text", "multipart", "message")))
    if depth == 0:
        kind = "multipart"
    if kind == "text" or depth > 3:
        return TEXT, []
    if kind == "file":
        octets = draw(FILES)
        encode = draw(
            st.sampled_from((base64.encodebytes, base64.b64encode, encode_in_segments))
        )
        drawn = {"kind": draw(st.sampled_from(TYPES)), "colon": draw(COLONS)}
        return attached(octets, encode=encode, **drawn), [octets]
    if kind == "message":
        inner, held = draw(entities(depth + 1))
        return b"Content-Type: message/rfc822\r\n\r\n" + TOP + inner, held
    inner = draw(st.lists(entities(depth + 1), min_size=1, max_size=4))
    made = multipart(
        *[entity for entity, _ in inner],
        subtype=draw(st.sampled_from(SUBTYPES)),
        colon=draw(COLONS),
    )
    return made, [one for _, held in inner for one in held]


@settings(max_examples=150, deadline=None)
@given(entity=entities())
def test_every_file_of_any_message_is_heard_decoded(
    entity: tuple[bytes, list[bytes]],
) -> None:
    raw, held = entity

    found = set(files(scanner_input(TOP + raw)))

    assert found >= set(held)


def test_a_message_of_text_is_heard_once() -> None:
    assert scanner_input(specimens.plain(b"Good morning")) == []
    assert scanner_input(TOP + multipart(TEXT, TEXT, subtype="alternative")) == []


def test_the_files_of_a_message_are_heard_together() -> None:
    many = [b"file %d" % number for number in range(3 * message_scan.MOST_FILES)]

    heard = scanner_input(TOP + multipart(TEXT, *map(attached, many)))

    assert len(heard) == 3
    assert list(files(heard)) == many


def test_large_files_are_heard_by_themselves(monkeypatch) -> None:
    monkeypatch.setattr(message_scan, "MOST_OCTETS", 100_000)
    many = [bytes([number]) * 90_000 for number in range(1, 4)]

    heard = scanner_input(TOP + multipart(TEXT, *map(attached, many)))

    assert [len(list(files([one]))) for one in heard] == [1, 1, 1]
    assert list(files(heard)) == many


@pytest.mark.parametrize("count", [1, 2, message_scan.MOST_FILES])
def test_clamd_reads_what_it_is_given_so(clamd: Clamd, count: int) -> None:
    octets = [*[FILE] * (count - 1), EICAR]
    given_to_it = [Inner(Region.whole(one), is_message=False) for one in octets]

    scan = async_to_sync(message_scan.scan_inner_with)

    assert scan(ClamdScanner(clamd.socket), given_to_it, CLEAN).signature == SIGNATURE


def test_what_is_given_counts_against_what_a_message_may_cost() -> None:
    from_the_limit = policy.Budget(octets=len(FILE) - 1)
    [*_, part] = walk(*split(TOP + multipart(TEXT, attached(FILE))), strict=True)

    with pytest.raises(policy.TooMuchError):
        list(policy.find(part, from_the_limit))
