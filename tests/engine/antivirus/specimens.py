"""Messages with something inside."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from email.message import EmailMessage

from tests.peers.clamd import EICAR


def message(attachment: bytes, *, name: str = "statement.bin") -> bytes:
    return _compose(attachment, name=name).as_bytes()


def plain(text: bytes) -> bytes:
    return b"From: alice@firm.example\r\nSubject: Hello\r\n\r\n" + text + b"\r\n"


def forwarded(attachment: bytes) -> bytes:
    """A message that forwards, as message/rfc822, one with an attachment."""
    outer = _headed("Fwd: The papers")
    outer.set_content("As discussed.")
    outer.add_attachment(_compose(attachment, name="papers.zip"))
    return outer.as_bytes()


def zipped(*members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.txt", member)
    return file.getvalue()


def tarred(*members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number, member in enumerate(members):
            entry = tarfile.TarInfo(f"{number}.txt")
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))
    return file.getvalue()


def gzipped(data: bytes, *, name: str = "") -> bytes:
    """Compressed, under a name that the archive gives of itself."""
    file = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=file) as archive:
        archive.write(data)
    return file.getvalue()


def nested(data: bytes, *, depth: int) -> bytes:
    for _ in range(depth):
        data = zipped(data)
    return data


def encrypted_zip() -> bytes:
    """A zip whose entry says that it is encrypted: all that a scanner can know."""
    data = bytearray(zipped(EICAR))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def bomb() -> bytes:
    """Zips of ten in zips of ten: two thousand million octets of nothing."""
    layer = zipped(*[bytes(2_000_000)] * 10)
    for _ in range(2):
        layer = zipped(*[layer] * 10)
    return layer


def _compose(attachment: bytes, *, name: str) -> EmailMessage:
    made = _headed("The papers")
    made.set_content("Please find them attached.")
    made.add_attachment(
        attachment, maintype="application", subtype="octet-stream", filename=name
    )
    return made


def _headed(subject: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "alice@firm.example"
    made["To"] = "bob@northfield.secure.example"
    made["Subject"] = subject
    return made
