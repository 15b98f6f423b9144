"""Messages and archives with various contents."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from email.message import EmailMessage

from tests.peers.clamd import EICAR


def message(*attachments: bytes, name: str = "statement.bin") -> bytes:
    return _compose(*attachments, name=name).as_bytes()


def plain(text: bytes) -> bytes:
    return b"From: alice@firm.example\r\nSubject: Hello\r\n\r\n" + text + b"\r\n"


def forwarded(attachment: bytes) -> bytes:
    """Returns a message that forwards, as message/rfc822, one with an attachment."""
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


def stored(*members: bytes) -> bytes:
    """Returns a zip without compression, in which inner zips are visible."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.zip", member)
    return file.getvalue()


class _Pipe(io.RawIOBase):
    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


def streamed(*members: bytes) -> bytes:
    """Returns a zip written to a stream without seeking: sizes follow the data."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.txt", member)
    return bytes(pipe.written)


def commented(archive: bytes, comment: bytes) -> bytes:
    """Returns the zip with a comment at its end."""
    return archive[:-2] + len(comment).to_bytes(2, "little") + comment


def unlisted(member: bytes) -> bytes:
    """Returns a zip whose directory lists only the second of its two members."""
    both, second = zipped(member, b"x"), zipped(b"x")
    local = both[: both.index(b"PK\x03\x04", 4)]
    return local + second


def disagreeing(member: bytes) -> bytes:
    """Returns a zip whose directory says stored, and its header packed."""
    data = bytearray(zipped(member))
    data[data.index(b"PK\x01\x02") + 10] = 0
    return bytes(data)


def tarred(*members: bytes, names: tuple[str, ...] = ()) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number, member in enumerate(members):
            entry = tarfile.TarInfo(names[number] if names else f"{number}.txt")
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))
    return file.getvalue()


def gzipped(data: bytes, *, name: str = "") -> bytes:
    """Returns compressed data, with a name in the gzip header."""
    file = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=file) as archive:
        archive.write(data)
    return file.getvalue()


def nested(data: bytes, *, depth: int) -> bytes:
    for _ in range(depth):
        data = zipped(data)
    return data


def encrypted_zip() -> bytes:
    """Returns a zip whose entry is flagged as encrypted: all that a scanner can see."""
    data = bytearray(zipped(EICAR))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def program() -> bytes:
    """Returns the header of a DOS program without any code."""
    return b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48)


def compound(kind: str) -> bytes:
    """Returns a compound file whose root entry states its class."""
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    header[0x1E] = 9
    root = bytearray(128)
    root[80:96] = int(kind, 16).to_bytes(4, "little") + bytes.fromhex(
        "00000000c000000000000046"
    )
    return bytes(header + root)


def zipped_under(members: dict[str, bytes]) -> bytes:
    """Returns a zip with these members, by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def without_directory(archive: bytes) -> bytes:
    """Returns the zip's members with their own headers, without a directory."""
    return archive[: archive.index(b"PK\x01\x02")]


def bomb() -> bytes:
    """Returns zips of ten in zips of ten: two thousand million octets of nothing."""
    layer = zipped(*[bytes(2_000_000)] * 10)
    for _ in range(2):
        layer = zipped(*[layer] * 10)
    return layer


def _compose(*attachments: bytes, name: str) -> EmailMessage:
    made = _headed("The papers")
    made.set_content("Please find them attached.")
    for attachment in attachments:
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
