"""The files inside a file: names and octets of archives, packed messages and the like."""

from __future__ import annotations

import bz2
import contextlib
import io
import itertools
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from engine.antivirus import magic
from engine.antivirus.formats import (
    compound,
    rar,
    seven_zip,
    seven_zip_folder,
    tar,
    zips,
)
from engine.antivirus.formats.errors import UnlistedError
from engine.antivirus.limits import Unscannable
from engine.mail import file_names

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
# How far unpackers look for an archive behind something else, such as a program.
_FURTHEST = 8 * 1024 * 1024
_MAX_LOOKS = 1_000
_ANYWHERE = (seven_zip.SIGNATURE, rar.SIGNATURE)
_STARTS = (
    *(zips.LOCAL_HEADER, b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", _TNEF),
    *(compound.SIGNATURE, *_ANYWHERE),
)
_ZIP_ENDINGS = frozenset(("zip", "zipx"))
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


_Reader = Callable[[bytes, Budget], Iterator[Member]]


def is_container(data: bytes) -> bool:
    """Whether there are files inside, as far as the first octets say."""
    return data.startswith(_STARTS) or tar.is_header(data[: tar.BLOCK])


def may_hold_files(data: bytes) -> bool:
    """Whether there may be files inside, wherever they begin."""
    return (
        is_container(data)
        or zips.LOCAL_HEADER in data
        or any(data.find(start, 0, _FURTHEST) >= 0 for start in _ANYWHERE)
    )


def members(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    """What is inside a file of that name; nothing where it is no container.

    What cannot be read any further ends it: names that could be read came first. Raises
    TooMuchError, and UnlistedError for an archive that hides its names.
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
    elif data.startswith(compound.SIGNATURE):
        yield from _of_item(data, budget)
    elif tar.is_header(data[: tar.BLOCK]):
        yield from _of_tar(data, budget)
    else:
        for read_all, start in _archives(data):
            yield from read_all(data[start:], budget)
        if zips.LOCAL_HEADER in data:
            yield from _of_zip(data, budget)
        return
    # Programs that go by the name look for a directory at the end.
    if file_names.endings([name]) & _ZIP_ENDINGS and zips.LOCAL_HEADER in data:
        yield from _of_zip(data, budget)


def _archives(data: bytes) -> Iterator[tuple[_Reader, int]]:
    """Readers of the first archive of each kind, and where it starts."""
    for module, reader in ((seven_zip, _of_seven_zip), (rar, _of_rar)):
        looks, start = 0, data.find(module.SIGNATURE, 0, _FURTHEST)
        # At the front it is one, however broken.
        while start > 0 and not module.is_at(data, start):
            looks += 1
            if looks == _MAX_LOOKS:
                raise UnlistedError
            start = data.find(module.SIGNATURE, start + 1, _FURTHEST)
        if start >= 0:
            yield reader, start


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


def _of_seven_zip(data: bytes, budget: Budget) -> Iterator[Member]:
    listing = seven_zip.read(data)
    budget.spend(0, members=len(listing.names))
    yield from map(Member, listing.names)
    named = iter(listing.filled)
    for folder in listing.folders:
        names = list(itertools.islice(named, len(folder.sizes)))
        # Of what is encrypted only the names count, as with zip.
        if folder.coder:
            budget.spend(sum(folder.sizes))
            with contextlib.suppress(*seven_zip_folder.BROKEN):
                yield from map(Member, names, seven_zip_folder.unpacked(folder))


def _of_rar(data: bytes, budget: Budget) -> Iterator[Member]:
    for member in rar.members(data):
        budget.spend(len(member.data))
        yield from (Member(name, member.data) for name in dict.fromkeys(member.names))


def _of_item(data: bytes, budget: Budget) -> Iterator[Member]:
    """An Outlook item: what is attached to it, and to items inside it."""
    for attached in compound.attachments(data):
        budget.spend(len(attached.data))
        shown = next(iter(attached.names), "")
        yield from map(Member, attached.names)
        yield Member(shown, attached.data)
