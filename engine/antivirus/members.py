"""The files inside a file: names and octets of archives, packed messages and the like."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from engine.antivirus import magic, tar, zips
from engine.antivirus.limits import Unscannable

_TNEF = b"\x78\x9f\x3e\x22"  # [MS-OXTNEF] 2.1.3.1
_TNEF_TITLE = 0x00018010
_TNEF_DATA = 0x0006800F
_TNEF_ATTACHMENT = 0x00069005
_TNEF_HEADER = struct.Struct("<BLL")
# What a property holds as text, one octet or two a character.
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){4,255}")
_NARROW = re.compile(rb"[\x20-\x7e]{4,255}")
_GZIP_HAS_NAME = 0x08  # RFC 1952 §2.3.1
_GZIP_HAS_EXTRA = 0x04
# 7z: its header stands at the end, and often compressed.
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_COMPRESSED_ENDINGS = frozenset(("gz", "bz2", "xz", "z", "lz", "zst", "tgz", "br"))
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    Unscannable,
    ValueError,
)


@dataclass(slots=True)
class Budget:
    """What looking into one message may cost: members, and octets unpacked."""

    members: int = 40_000
    octets: int = 256 * 1024 * 1024

    def spend(self, octets: int, *, members: int = 1) -> None:
        """Raises TooMuchError."""
        self.members -= members
        self.octets -= octets
        if self.members < 0 or self.octets < 0:
            raise TooMuchError


class TooMuchError(Exception):
    """A message holds more than anybody looks into."""


@dataclass(frozen=True, slots=True)
class Member:
    """A name that a file inside goes by, and what it begins with.

    `data` is all of it where it may hold files itself; empty for a name alone.
    """

    name: str
    data: bytes = b""
    is_whole: bool = True


def is_container(data: bytes) -> bool:
    """Whether there are files inside, as far as the first octets say."""
    starts = (zips.LOCAL_HEADER, b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", _TNEF, _SEVEN_ZIP)
    return data.startswith(starts) or tar.is_header(data[: tar.BLOCK])


def members(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    """What is inside a file of that name; nothing where it is no container.

    What cannot be read any further ends it: names that could be read came first. Raises
    TooMuchError.
    """
    try:
        yield from _members(data, name, budget)
    except BROKEN:
        # Whether broken archives may pass is the scanner's to say.
        return


def _members(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    if data.startswith(b"\x1f\x8b"):
        yield from _of_gzip(data, name, budget)
    elif data.startswith(b"BZh"):
        yield from _of_stream(bz2.BZ2Decompressor(), data, name, budget)
    elif data.startswith(b"\xfd7zXZ\0"):
        reader = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
        yield from _of_stream(reader, data, name, budget)
    elif data.startswith(_TNEF):
        yield from _of_tnef(data, budget)
    elif data.startswith(_SEVEN_ZIP):
        yield from _of_seven_zip(data)
    elif tar.is_header(data[: tar.BLOCK]):
        yield from _of_tar(data, budget)
    elif zips.LOCAL_HEADER in data:
        yield from _of_zip(data, budget)


def _of_zip(data: bytes, budget: Budget) -> Iterator[Member]:
    # Counted before zipfile makes an object of each.
    budget.spend(0, members=data.count(zips.LOCAL_HEADER))
    budget.spend(0, members=data.count(zips.DIRECTORY_ENTRY))
    yield from map(Member, dict.fromkeys(zips.names(data)))
    file = io.BytesIO(data)
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.is_dir() or entry.flag_bits & zips.IS_ENCRYPTED:
                continue
            with archive.open(entry) as source:
                yield _read(source, entry.filename, budget)
        for start, end in zips.unlisted(archive, file):
            yield Member("", data[start:end])


def _read(source: IO[bytes], name: str, budget: Budget) -> Member:
    head = source.read(magic.HEAD)
    budget.spend(len(head))
    if not is_container(head):
        return Member(name, head, is_whole=len(head) < magic.HEAD)
    rest = source.read(budget.octets + 1)
    budget.spend(len(rest))
    return Member(name, head + rest)


def _of_tar(data: bytes, budget: Budget) -> Iterator[Member]:
    archive = io.BytesIO(data)
    for entry in tar.entries(archive):
        budget.spend(entry.size)
        yield Member(entry.name, archive.read(entry.size))


def _of_gzip(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    if data[3] & _GZIP_HAS_NAME:
        start = 10
        if data[3] & _GZIP_HAS_EXTRA:
            start += 2 + int.from_bytes(data[10:12], "little")
        yield Member(data[start : start + 1024].split(b"\0")[0].decode("latin-1"))
    yield from _of_stream(zlib.decompressobj(31), data, name, budget)


def _of_stream(
    reader: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor,
    data: bytes,
    name: str,
    budget: Budget,
) -> Iterator[Member]:
    """The one file that is compressed, under the name without the last ending."""
    stem = PurePosixPath(name.casefold())
    inner = stem.stem if stem.suffix[1:] in _COMPRESSED_ENDINGS else ""
    yield Member(inner)
    head = reader.decompress(data, magic.HEAD)
    budget.spend(len(head))
    if not is_container(head):
        yield Member(inner, head, is_whole=len(head) < magic.HEAD)
        return
    left = reader.unconsumed_tail if hasattr(reader, "unconsumed_tail") else b""
    rest = reader.decompress(left, budget.octets + 1)
    budget.spend(len(rest))
    yield Member(inner, head + rest)


def _of_tnef(data: bytes, budget: Budget) -> Iterator[Member]:
    """Outlook's winmail.dat: titles, data and properties of attachments."""
    at = 6
    while at + _TNEF_HEADER.size <= len(data):
        _, kind, size = _TNEF_HEADER.unpack_from(data, at)
        at += _TNEF_HEADER.size
        value = data[at : at + size]
        budget.spend(len(value))
        if kind == _TNEF_TITLE:
            yield Member(value.rstrip(b"\0").decode("latin-1"))
        elif kind == _TNEF_DATA:
            yield Member("", value)
        elif kind == _TNEF_ATTACHMENT:
            yield from map(Member, _strings(value))
        at += size + 2


def _strings(value: bytes) -> Iterator[str]:
    """What may be a name among properties: content ids and addresses are none."""
    wide = (found.decode("utf-16-le") for found in _WIDE.findall(value))
    narrow = (found.decode("ascii") for found in _NARROW.findall(value))
    yield from (
        text for text in (*wide, *narrow) if "@" not in text and ":/" not in text
    )


def _of_seven_zip(data: bytes) -> Iterator[Member]:
    """The names in the header, unless it is compressed: two octets a character."""
    offset, size = struct.unpack_from("<QQ", data, 12)
    header = data[32 + offset : 32 + offset + size]
    if header[:1] != b"\x01":
        return
    for text in header.decode("utf-16-le", "ignore").split("\0"):
        yield Member(text)
    for text in header[1:].decode("utf-16-le", "ignore").split("\0"):
        yield Member(text)
