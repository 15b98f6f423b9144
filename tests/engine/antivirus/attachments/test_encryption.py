"""Files that cannot be examined without a key, as we recognise them ourselves."""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.antivirus.attachments import policy
from engine.antivirus.attachments.policy import Examined, File
from engine.antivirus.formats import compound, pdf_encryption
from engine.antivirus.formats.inspection_budget import Budget
from engine.antivirus.verdict import Verdict
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from tests import smime
from tests.engine.antivirus import archives, pdfs, specimens
from tests.peers import seven_zip

PGP = b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n"
RPMSG = bytes.fromhex("76e80460c411e386") + bytes(40)
MANIFEST = b'<manifest:file-entry><manifest:encryption-data manifest:checksum=""/>'
LOCKED_EXTRA = archives.vint(34) + archives.vint(1) + bytes(33)


@pytest.fixture
def mark_encrypted(settings) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"encrypted_content": "mark"})


def word(flags: int) -> bytes:
    start = b"\xec\xa5\xc1\0" + bytes(6) + struct.pack("<H", flags)
    return archives.compound({"WordDocument": start.ljust(5_000, b"\0")})


def excel(*records: tuple[int, bytes]) -> bytes:
    written = b"".join(struct.pack("<HH", k, len(v)) + v for k, v in records)
    return archives.compound({"Workbook": written.ljust(5_000, b"\0")})


def powerpoint(token: int) -> bytes:
    user = bytes(8) + struct.pack("<LL", 20, token) + bytes(40)
    return archives.compound({"Current User": user, "PowerPoint Document": b"x"})


BOF, FILEPASS, CODEPAGE = (0x809, bytes(16)), (0x2F, bytes(54)), (0x42, b"\xb0\x04")

ENCRYPTED = {
    "pdf, 40 bits": pdfs.LOCKED_40,
    "pdf, 128 bits": pdfs.LOCKED_128,
    "pdf, AES 128": pdfs.LOCKED_AES_128,
    "pdf, AES 256": pdfs.LOCKED_AES_256,
    "pdf behind other octets": b"\n" * 300 + pdfs.LOCKED_AES_256,
    "docx": archives.compound({"EncryptionInfo": b"x", "EncryptedPackage": b"x"}),
    "docx under rights management": archives.compound({"\x09DRMContent": b"x"}),
    "doc": word(0x0100),
    "xls": excel(BOF, FILEPASS),
    "xls with a code page first": excel(BOF, CODEPAGE, FILEPASS),
    "ppt": powerpoint(0xF3D1C4DF),
    "odt": specimens.zipped_under({"META-INF/manifest.xml": MANIFEST}),
    "zip": specimens.encrypted_zip(),
    "zip without a directory": specimens.without_directory(specimens.encrypted_zip()),
    "rar 4": archives.rar4({"a.txt": b"x"}, flags=0x04),
    "rar 5": archives.rar5({"a.txt": b"x"}, extra=LOCKED_EXTRA),
    "pgp": PGP,
    "rpmsg": RPMSG,
    "p7m": smime.enveloped(b"Good morning"),
}

READABLE = {
    "pdf": b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj trailer << /Root 1 0 R >>",
    "pdf about encryption": b"%PDF-1.7 (The /Encryption of PDFs) /EncryptMetadata true",
    "pdf that forbids printing, 40 bits": pdfs.OPEN_40,
    "pdf that forbids printing, 128 bits": pdfs.OPEN_128,
    "pdf that forbids printing, AES 128": pdfs.OPEN_AES_128,
    "pdf that forbids printing, AES 256": pdfs.OPEN_AES_256,
    "doc": word(0),
    "xls": excel(BOF, CODEPAGE),
    "ppt": powerpoint(0xE391C05F),
    "odt": specimens.zipped_under({"META-INF/manifest.xml": b"<manifest:manifest/>"}),
    "zip": specimens.zipped(b"x"),
    "rar": archives.rar5({"a.txt": b"x"}),
    "signed pgp": b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nYes.\r\n",
    "signed file": smime.signed(b"%PDF-1.4"),
    "signature": smime.detached(b"Good morning"),
    "text": b"Good morning",
}


def unscannable_kinds(
    data: bytes, name: str = "papers.bin", kind: str = ""
) -> set[str]:
    """Returns which kinds of content the policy reports as impossible to examine."""
    return policy.check_can_carry([File(name, kind, data)]).unscanned


@pytest.mark.parametrize("name", ENCRYPTED)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: data,
        specimens.zipped,
        specimens.gzipped,
        lambda data: specimens.tarred(specimens.zipped(data)),
        lambda data: specimens.message(data, name="papers.bin"),
        smime.signed,
    ],
    ids=["alone", "zipped", "gzipped", "in a tar", "in a message", "signed"],
)
def test_encrypted(
    mark_encrypted: None, name: str, wrap: Callable[[bytes], bytes]
) -> None:
    assert unscannable_kinds(wrap(ENCRYPTED[name]))


@pytest.mark.parametrize("name", ENCRYPTED)
def test_encrypted_is_refused_where_nobody_chose_otherwise(name: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        unscannable_kinds(ENCRYPTED[name])

    assert str(refused.value).startswith("554 5.7.1 A")
    assert "cannot be scanned for viruses and is not carried here" in str(refused.value)


@pytest.mark.parametrize("name", READABLE)
def test_readable(name: str) -> None:
    assert unscannable_kinds(READABLE[name]) == set()


@pytest.mark.parametrize("switches", [(), ("-m0=LZMA2:d64k", "-ms=on")])
def test_encrypted_by_seven_zip(
    mark_encrypted: None, tmp_path: Path, switches: tuple[str, ...]
) -> None:
    data = seven_zip.pack(
        tmp_path, {"a.txt": b"Good morning" * 50}, "-ppass", *switches
    )

    assert unscannable_kinds(data) == {"encrypted archive"}


def test_a_zip_encrypted_by_seven_zip(mark_encrypted: None, tmp_path: Path) -> None:
    data = seven_zip.pack(
        tmp_path, {"a.txt": b"Good morning"}, "-tzip", "-ppass", "-mem=AES256"
    )

    assert unscannable_kinds(data) == {"encrypted archive"}


def test_an_archive_that_hides_its_names_is_refused_however_it_is_chosen(
    mark_encrypted: None, tmp_path: Path
) -> None:
    """It could contain a program."""
    data = seven_zip.pack(tmp_path, {"a.txt": b"x"}, "-ppass", "-mhe=on")

    with pytest.raises(PermanentFailure, match="without encrypting the names"):
        unscannable_kinds(data)


def pgp_mime() -> bytes:
    return (
        b"From: jane@firm.example\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";'
        b" boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n"
        b"Version: 1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
        + PGP
        + b"\r\n--b--\r\n"
    )


MAIL = {
    "S/MIME": smime.message(smime.enveloped(b"x"), kind="enveloped-data"),
    "S/MIME that says that it is signed": smime.message(smime.enveloped(b"x")),
    "S/MIME that cannot be read": smime.message(b"\x30\x80 and so on"),
    "S/MIME that is signed and cut off": smime.message(smime.signed(b"x" * 99)[:90]),
    "S/MIME, signed and then encrypted": smime.message(
        smime.signed(smime.message(smime.enveloped(b"x")))
    ),
    "PGP/MIME": pgp_mime(),
    "PGP in the text": specimens.plain(b"Look:\r\n\r\n" + PGP),
}


@pytest.mark.parametrize("name", MAIL)
def test_encrypted_mail_follows_the_policy(settings, name: str) -> None:
    with pytest.raises(PermanentFailure, match="message that is encrypted"):
        policy.check_can_carry(walk(*split(MAIL[name]), strict=True))
    settings.POSTERN = settings.POSTERN.model_copy(update={"encrypted_content": "mark"})
    examined = policy.check_can_carry(walk(*split(MAIL[name]), strict=True))

    assert examined.unscanned == {"encrypted message"}


def test_signed_mail_is_opened_and_judged_by_what_is_in_it() -> None:
    inner = EmailMessage()
    inner.set_content("Good morning")
    inner.add_attachment(
        b"x", maintype="application", subtype="pdf", filename="run.exe"
    )
    raw = smime.message(smime.signed(inner.as_bytes().replace(b"\n", b"\r\n")))

    with pytest.raises(PermanentFailure, match=r"kind \.exe"):
        policy.check_can_carry(walk(*split(raw), strict=True))


def test_what_the_scanner_cannot_read_follows_the_policy_too(settings) -> None:
    verdict = Verdict.of("Heuristics.Encrypted.Arj", scanner="clamd")
    with pytest.raises(PermanentFailure, match="A file that is encrypted"):
        policy.unscanned(Examined(), verdict)
    settings.POSTERN = settings.POSTERN.model_copy(update={"encrypted_content": "mark"})

    assert policy.unscanned(Examined(), verdict) == ["encrypted file"]
    assert policy.unscanned(Examined(unscanned={"encrypted PDF"}), verdict) == [
        "encrypted PDF"
    ]


def test_the_mark_is_ours_alone() -> None:
    forged = HeaderBlock.parse(
        b"X-Postern-Not-Scanned: nothing\r\nFrom: a@b.example\r\n"
    )

    assert policy.marked(forged, []).to_bytes() == b"From: a@b.example\r\n\r\n"
    assert policy.marked(forged, ["encrypted PDF", "rar archive"]).all(policy.MARK)[
        0
    ].value == (b"encrypted PDF, rar archive")


@pytest.mark.parametrize("message_type", ["rfc822", "global", "news"])
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_a_message_inside_is_scanned_by_itself(
    message_type: str, encoding: str
) -> None:
    inner = b"From: jane@firm.example\r\n\r\nGood morning\r\n"
    written = base64.encodebytes(inner) if encoding == "base64" else inner
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        + f"Content-Type: message/{message_type}\r\n".encode()
        + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        + written
        + b"\r\n--b--\r\n"
    )

    examined = policy.check_can_carry(walk(*split(raw), strict=True))

    [found] = examined.inner
    assert found.region.octets().rstrip() == inner.rstrip()
    assert found.is_message


def test_pieces_of_a_message_are_refused_in_any_depth() -> None:
    piece = b"Content-Type: message/partial; id=1; number=1; total=2\r\n\r\nx"
    raw = b"Content-Type: message/global\r\n\r\n" + piece

    with pytest.raises(PermanentFailure, match="message/partial"):
        policy.check_can_carry(walk(*split(raw), strict=True))


def test_a_large_signed_file_in_an_archive_is_looked_into() -> None:
    papers = {"a.txt": random.Random(1).randbytes(60_000), "run.exe": b"x"}
    signed = smime.signed(specimens.zipped_under(papers))

    with pytest.raises(PermanentFailure, match=r"kind \.exe"):
        unscannable_kinds(specimens.zipped(signed))


def test_a_file_is_looked_into_whatever_type_it_is_said_to_have() -> None:
    data = specimens.zipped_under({"run.exe": b"x"})

    with pytest.raises(PermanentFailure, match=r"kind \.exe"):
        unscannable_kinds(data, "papers.zip", "message/rfc822")


@given(st.sampled_from(sorted(ENCRYPTED)), st.data())
def test_damage_is_looked_at_without_an_error(name: str, data: st.DataObject) -> None:
    places = st.tuples(st.integers(0, 3_000), st.integers(0, 255))
    damaged = archives.mutations(
        ENCRYPTED[name], data.draw(st.lists(places, max_size=9))
    )

    policy.can_carry([File("papers.bin", "", damaged)])
    pdf_encryption.needs_password(damaged, Budget())


def test_a_name_may_be_written_by_numbers() -> None:
    assert pdf_encryption.needs_password(
        b"%PDF-1.7 trailer << /#45ncr#79pt 5 0 R >>", Budget()
    )


def test_a_compound_file_in_a_circle_ends() -> None:
    data = bytearray(word(0))
    data[0x30:0x34] = bytes(4)

    with pytest.raises((ValueError, struct.error)):
        compound.is_encrypted(bytes(data[:600]))
