"""Unpacks archives into files, within limits, for a scanner that cannot do it itself."""

from __future__ import annotations

import bz2
import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from engine.antivirus.formats import tar, zips
from engine.antivirus.formats.unpack_limits import (
    LIMITS,
    MAX_DEPTH,
    MAX_ENTRIES,
    UNREADABLE,
    Budget,
    Unscannable,
)

CHUNK = 64 * 1024  # octets
# Deflate64, LZMA and others are rare, and LZMA lets the file decide how much memory it uses.
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
# Known formats that are not opened here. The policy refuses the first by name: 7z, RAR and
# xz. The others are cabinet, zstd, lzip and compress.
NAMED_FORMATS = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0")
CLOSED_FORMATS = (
    b"MSCF\0\0\0\0",
    b"\x28\xb5\x2f\xfd",
    b"LZIP",
    b"\x1f\x9d",
)
# The exceptions of zipfile, gzip and bz2 for hostile input.
BROKEN = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
)

Opener = Callable[[Path, Budget], Iterator[Path]]


class Readable(Protocol):
    """A file that can be read."""

    def read(self, size: int, /) -> bytes:
        """Returns up to that many octets; none at the end."""


def unpack(path: Path, budget: Budget, *, depth: int = 0) -> Iterator[Path]:
    """Yields the file itself and, if it is an archive, every file inside it.

    A yielded file is deleted at the next step. Raises Unscannable for an archive that is
    too large, too deep or broken, or of a known format that is not opened here. Encrypted
    files, and formats that the policy refuses by name, are skipped and noted in the budget.
    """
    yield path
    opener = _opener(path, budget)
    if opener is None:
        return
    if depth >= MAX_DEPTH:
        raise Unscannable(LIMITS)
    for member in _unbroken(opener(path, budget)):
        yield from unpack(member, budget, depth=depth + 1)
        member.unlink()


def _unbroken(members: Iterator[Path]) -> Iterator[Path]:
    try:
        yield from members
    except BROKEN as error:
        raise Unscannable(UNREADABLE) from error


def _opener(path: Path, budget: Budget) -> Opener | None:
    with path.open("rb") as file:
        start = file.read(tar.BLOCK)
    if start.startswith(CLOSED_FORMATS):
        raise Unscannable(UNREADABLE)
    if start.startswith(NAMED_FORMATS):
        budget.has_closed = True
        return None
    if start.startswith(b"\x1f\x8b"):
        return _from_gzip
    if start.startswith(b"BZh"):
        return _from_bzip2
    if tar.is_header(start):
        return _from_tar
    # By its end too: a self-extracting archive starts as a program.
    if start.startswith(b"PK\x03\x04") or zipfile.is_zipfile(path):
        return _from_zip
    return None


def _from_gzip(path: Path, budget: Budget) -> Iterator[Path]:
    with gzip.open(path) as source:
        yield _copy(source, path.parent, budget)


def _from_bzip2(path: Path, budget: Budget) -> Iterator[Path]:
    try:
        with bz2.open(path) as source:
            member = _copy(source, path.parent, budget)
    except OSError as error:
        # bz2 raises OSError for a broken stream, too, but without errno.
        if error.errno is None:
            raise Unscannable(UNREADABLE) from error
        raise
    yield member


def _from_tar(path: Path, budget: Budget) -> Iterator[Path]:
    with path.open("rb") as source:
        for entry in tar.entries(source):
            yield _copy(source, path.parent, budget, size=entry.size)


def _from_zip(path: Path, budget: Budget) -> Iterator[Path]:
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.flag_bits & zips.IS_ENCRYPTED:
                budget.has_encrypted = True
                continue
            if entry.compress_type not in ZIP_METHODS:
                raise Unscannable(UNREADABLE)
            with archive.open(entry) as source:
                yield _copy(source, path.parent, budget)
        # Programs that read local headers, or another directory, find members that the
        # last directory does not list.
        with path.open("rb") as file:
            for start, end in zips.unlisted(archive, file):
                file.seek(start)
                yield _joined(_copy(file, path.parent, budget, size=end - start))


def _joined(member: Path) -> Path:
    """Checks an archive that stands before another, or in its comment.

    Raises Unscannable if it is incomplete, because some unpackers find members without
    the directory.
    """
    if not zipfile.is_zipfile(member):
        raise Unscannable(UNREADABLE)
    return member


def _check_directory(path: Path) -> None:
    """Counts the entries, because zipfile creates an object for each before we see one."""
    count, tail = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            count += (tail + chunk).count(zips.DIRECTORY_ENTRY)
            # A signature may lie across two chunks.
            tail = chunk[-len(zips.DIRECTORY_ENTRY) + 1 :]
    if count > MAX_ENTRIES:
        raise Unscannable(LIMITS)


def _copy(
    source: Readable, folder: Path, budget: Budget, *, size: int | None = None
) -> Path:
    """Writes to a file with a random name, never one from the archive.

    With `size`, copies exactly that many octets, and raises Unscannable if fewer follow.
    """
    budget.spend_entry()
    member, left = folder / uuid4().hex, size
    with member.open("wb") as file:
        while chunk := source.read(CHUNK if left is None else min(CHUNK, left)):
            budget.spend_octets(len(chunk))
            file.write(chunk)
            left = None if left is None else left - len(chunk)
    if left:
        raise Unscannable(UNREADABLE)
    return member
