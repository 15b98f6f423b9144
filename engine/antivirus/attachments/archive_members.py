"""Lists the files inside a file, such as an archive or an Outlook item."""

from __future__ import annotations

import bz2
import contextlib
import io
import itertools
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO

from engine.antivirus.attachments import encryption, magic
from engine.antivirus.formats import (
    compound,
    rar,
    seven_zip,
    seven_zip_folder,
    tar,
    tnef,
    zips,
)
from engine.antivirus.formats.inspection_budget import Budget, Member, UnlistedError
from engine.antivirus.formats.unpack_limits import Unscannable
from engine.mail.mime import file_names

_GZIP_HAS_NAME = 0x08  # RFC 1952 §2.3.1
_GZIP_HAS_EXTRA = 0x04
# How far unpackers search for an archive after other content, such as a program.
_FURTHEST = 8 * 1024 * 1024
_MAX_LOOKS = 1_000
_CHUNK = 256 * 1024
_ANYWHERE = (seven_zip.SIGNATURE, rar.SIGNATURE)
_STARTS = (
    *(zips.LOCAL_HEADER, b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", tnef.SIGNATURE),
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
_Reader = Callable[[bytes, Budget], Iterator[Member]]


def is_container(data: bytes) -> bool:
    """Returns whether the first octets are those of a file that holds files."""
    return data.startswith(_STARTS) or tar.is_header(data[: tar.BLOCK])


def _is_wanted_whole(head: bytes) -> bool:
    """Returns whether the first octets are not enough to judge a file."""
    return is_container(head) or magic.is_message(head) or encryption.needs_all(head)


def may_hold_files(data: bytes) -> bool:
    """Returns whether a file may hold files, wherever they start."""
    return (
        is_container(data)
        or zips.LOCAL_HEADER in data
        or any(data.find(start, 0, _FURTHEST) >= 0 for start in _ANYWHERE)
    )


def members(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    """Yields the members of a file; none if it holds no files.

    Ends where the file cannot be read any further; readable names come first. Raises
    TooMuchError, and UnlistedError for an archive that hides its names.
    """
    try:
        yield from _members(data, name, budget)
    except BROKEN:
        # A broken archive is left to the scanner's verdict.
        return


def _members(data: bytes, name: str, budget: Budget) -> Iterator[Member]:
    if data.startswith(b"\x1f\x8b"):
        yield from _of_gzip(data, name, budget)
    elif data.startswith(b"BZh"):
        yield from _of_stream(bz2.BZ2Decompressor(), data, name, budget)
    elif data.startswith(b"\xfd7zXZ\0"):
        reader = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
        yield from _of_stream(reader, data, name, budget)
    elif data.startswith(tnef.SIGNATURE):
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
    # Programs that trust the name look for a zip directory at the end.
    if file_names.endings([name]) & _ZIP_ENDINGS and zips.LOCAL_HEADER in data:
        yield from _of_zip(data, budget)


def _archives(data: bytes) -> Iterator[tuple[_Reader, int]]:
    """Yields the reader and the start of the first archive of each kind."""
    for module, reader in ((seven_zip, _of_seven_zip), (rar, _of_rar)):
        looks, start = 0, data.find(module.SIGNATURE, 0, _FURTHEST)
        # At offset 0 it counts as one, however broken.
        while start > 0 and not module.is_at(data, start):
            looks += 1
            if looks == _MAX_LOOKS:
                raise UnlistedError
            start = data.find(module.SIGNATURE, start + 1, _FURTHEST)
        if start >= 0:
            yield reader, start


def _of_zip(data: bytes, budget: Budget) -> Iterator[Member]:
    # Counted here, because zipfile creates an object for each before we see one.
    budget.spend(0, members=data.count(zips.LOCAL_HEADER))
    budget.spend(0, members=data.count(zips.DIRECTORY_ENTRY))
    yield from map(Member, dict.fromkeys(zips.names(data)))
    file = io.BytesIO(data)
    if not zipfile.is_zipfile(file):
        yield from _of_headers(data, budget)
        return
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _of_directory(archive, budget)
            for start, end in zips.unlisted(archive, file):
                yield Member("", data[start:end])
    except BROKEN:
        yield from _of_headers(data, budget)


def _of_directory(archive: zipfile.ZipFile, budget: Budget) -> Iterator[Member]:
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        if entry.flag_bits & zips.IS_ENCRYPTED:
            yield Member(entry.filename, is_encrypted=True)
            continue
        try:
            member = _read(archive, entry, budget)
        except BROKEN:
            # One unreadable member must not hide the others.
            continue
        yield member


def _of_headers(data: bytes, budget: Budget) -> Iterator[Member]:
    """Yields members by their local headers, as some unpackers find them."""
    view = memoryview(data)
    for local in zips.local_members(data):
        if local.is_encrypted:
            yield Member(local.name, is_encrypted=True)
            continue
        packed = view[local.start : local.end]
        if local.method == zipfile.ZIP_STORED:
            budget.spend(len(packed))
            yield Member(local.name, bytes(packed))
        elif local.method == zipfile.ZIP_DEFLATED:
            with contextlib.suppress(zlib.error):
                yield _inflated(local.name, packed, budget)


def _inflated(name: str, packed: memoryview, budget: Budget) -> Member:
    head = zlib.decompressobj(-15).decompress(packed[: 2 * magic.HEAD], magic.HEAD)
    budget.spend(len(head))
    if not _is_wanted_whole(head):
        return Member(name, head, is_whole=len(head) < magic.HEAD)
    # Packed octets count, too: unpacking costs time even if nothing comes out.
    budget.spend(len(packed))
    whole = zlib.decompressobj(-15).decompress(packed, budget.octets + 1)
    budget.spend(len(whole))
    return Member(name, whole)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> Member:
    with archive.open(entry) as source:
        head = source.read(magic.HEAD)
        budget.spend(len(head))
        if _is_wanted_whole(head):
            rest = source.read(budget.octets + 1)
            budget.spend(len(rest))
            return Member(entry.filename, head + rest)
        holds, end = _look_through(source, head, budget)
    if not holds:
        is_whole = len(head) < magic.HEAD
        return Member(entry.filename, head, is_whole=is_whole, end=end)
    with archive.open(entry) as source:
        whole = source.read(budget.octets + 1)
        budget.spend(len(whole))
        return Member(entry.filename, whole)


def _look_through(source: IO[bytes], head: bytes, budget: Budget) -> tuple[bool, bytes]:
    """Returns whether the file contains an archive somewhere, and its last octets.

    Returns neither where the search would exceed the budget, so that large files travel.
    """
    seen, chunk = b"", head
    while chunk:
        seen = seen[-magic.END :] + chunk
        if zips.LIKELY.search(seen) or any(start in seen for start in _ANYWHERE):
            return True, b""
        if budget.glances < _CHUNK:
            return False, b""
        chunk = source.read(_CHUNK)
        budget.glances -= len(chunk)
    return False, seen[-magic.END :]


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
    """Yields the one compressed file, under the name without its last ending."""
    stem = PurePosixPath(name.casefold())
    inner = stem.stem if stem.suffix[1:] in _COMPRESSED_ENDINGS else ""
    yield Member(inner)
    head = reader.decompress(data, magic.HEAD)
    budget.spend(len(head))
    if not _is_wanted_whole(head):
        yield Member(inner, head, is_whole=len(head) < magic.HEAD)
        return
    left = reader.unconsumed_tail if hasattr(reader, "unconsumed_tail") else b""
    rest = reader.decompress(left, budget.octets + 1)
    budget.spend(len(rest))
    yield Member(inner, head + rest)


def _of_tnef(data: bytes, budget: Budget) -> Iterator[Member]:
    for found in tnef.attributes(data):
        budget.spend(found.octets)
        yield from (Member(name, found.data) for name in found.names)


def _of_seven_zip(data: bytes, budget: Budget) -> Iterator[Member]:
    listing = seven_zip.read(data)
    budget.spend(0, members=len(listing.names))
    yield from map(Member, listing.names)
    named = iter(listing.filled)
    for folder in listing.folders:
        names = list(itertools.islice(named, len(folder.sizes)))
        if folder.is_encrypted:
            yield from (Member(name, is_encrypted=True) for name in names)
        elif folder.coder:
            budget.spend(sum(folder.sizes))
            with contextlib.suppress(*seven_zip_folder.BROKEN):
                yield from map(Member, names, seven_zip_folder.unpacked(folder))


def _of_rar(data: bytes, budget: Budget) -> Iterator[Member]:
    for member in rar.members(data):
        budget.spend(len(member.data))
        for name in dict.fromkeys(member.names):
            yield Member(name, member.data, is_encrypted=member.is_encrypted)


def _of_item(data: bytes, budget: Budget) -> Iterator[Member]:
    """Yields the attachments of an Outlook item, and of items inside it."""
    for attached in compound.attachments(data):
        budget.spend(len(attached.data))
        shown = next(iter(attached.names), "")
        yield from map(Member, attached.names)
        yield Member(shown, attached.data)
