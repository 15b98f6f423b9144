"""Reads zip archives as any unpacker might (APPNOTE.TXT).

Some unpackers use the last central directory, some the first, some the header before each
member. This module finds the members that they would disagree about.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from typing import IO, NamedTuple

LOCAL_HEADER = b"PK\x03\x04"  # §4.3.7
DIRECTORY_ENTRY = b"PK\x01\x02"  # §4.3.12
END_RECORD = b"PK\x05\x06"  # §4.3.16
END_SIZE = 22
# A local header (§4.3.7), a directory entry, or the end of a directory
SIGNATURE = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x05\x06)")
IS_ENCRYPTED = 0x1  # §4.4.4, general purpose bit 0
HAS_DESCRIPTOR = 0x8  # §4.4.4, bit 3: sizes follow the data
IS_UTF8 = 0x800  # §4.4.4, bit 11

_LOCAL = struct.Struct("<4s5H3L2H")  # §4.3.7
_ENTRY = struct.Struct("<4s6H3L5H2L")  # §4.3.12
_UNICODE_PATH = 0x7075  # §4.6.9
_CHUNK = 1024 * 1024

# A local header with a known method: its four octets alone occur by chance.
LIKELY = re.compile(rb"PK\x03\x04.{4}[\0\x08\x09\x0c\x0e\x5d-\x63]\0", re.DOTALL)

Span = tuple[int, int]


class Local(NamedTuple):
    """A member by its local header; its octets end at `end` at the latest."""

    name: str
    method: int
    start: int
    end: int
    is_encrypted: bool


def local_members(data: bytes) -> Iterator[Local]:
    """Yields every member with a local header, whether or not a directory lists it."""
    for found in LIKELY.finditer(data):
        if len(data) < found.start() + _LOCAL.size:
            return
        local = _LOCAL.unpack_from(data, found.start())
        flags, method, packed, name_size, extra_size = (
            *(local[2], local[3], local[7]),
            *(local[9], local[10]),
        )
        at = found.start() + _LOCAL.size
        start = at + name_size + extra_size
        # The size stands elsewhere in a stream (a descriptor follows the data, §4.4.4)
        # and in a large archive (all ones here, a Zip64 field, §4.5.3).
        has_size = not flags & HAS_DESCRIPTOR and packed != 0xFFFFFFFF
        end = min(start + packed, len(data)) if has_size else len(data)
        name = data[at : at + name_size].decode("utf-8", "replace")
        yield Local(name, method, start, end, bool(flags & IS_ENCRYPTED))


def names(data: bytes) -> Iterator[str]:
    """Yields the name in every local header and directory entry, wherever they are."""
    for found in SIGNATURE.finditer(data):
        at = found.start()
        if found[0] == DIRECTORY_ENTRY and len(data) >= at + _ENTRY.size:
            entry = _ENTRY.unpack_from(data, at)
            flags, name_size, extra_size = entry[3], entry[10], entry[11]
            start = at + _ENTRY.size
        elif found[0] == LOCAL_HEADER and len(data) >= at + _LOCAL.size:
            local = _LOCAL.unpack_from(data, at)
            flags, name_size, extra_size = local[2], local[9], local[10]
            start = at + _LOCAL.size
        else:
            continue
        name = data[start : start + name_size]
        extra = data[start + name_size : start + name_size + extra_size]
        yield from _names(name, extra, flags)


def _names(name: bytes, extra: bytes, flags: int) -> Iterator[str]:
    # Without bit 11 a name is in code page 437, and many programs write and read UTF-8
    # all the same. Either reading may be the one that hides a program.
    yield name.decode("utf-8" if flags & IS_UTF8 else "cp437", "replace")
    yield name.decode("utf-8", "replace")
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == _UNICODE_PATH and size > 5:
            yield extra[at + 9 : at + 4 + size].decode("utf-8", "replace")
        at += 4 + size


def unlisted(archive: zipfile.ZipFile, file: IO[bytes]) -> list[Span]:
    """Returns the spans outside the listed members that look like zip.

    Such as another archive before this one or in its comment, or members that only have
    local headers. Raises ValueError where a member's header and its directory entry
    differ, BadZipFile or struct.error for broken ones.
    """
    used = sorted(_used(archive, file))
    size = file.seek(0, 2)
    gaps, end = [], 0
    for start, after in [*used, (size, size)]:
        if start > end:
            gaps.append((end, start))
        end = max(end, after)
    return [gap for gap in gaps if _looks_like_zip(file, *gap)]


def _used(archive: zipfile.ZipFile, file: IO[bytes]) -> Iterator[Span]:
    for entry in archive.infolist():
        file.seek(entry.header_offset)
        local = _LOCAL.unpack(file.read(_LOCAL.size))
        flags, method, packed, name_size, extra_size = (
            *(local[2], local[3], local[7]),
            *(local[9], local[10]),
        )
        has_sizes = not flags & HAS_DESCRIPTOR and packed != 0xFFFFFFFF
        if method != entry.compress_type or (
            has_sizes and packed != entry.compress_size
        ):
            raise ValueError("A member's two headers differ")
        start = entry.header_offset + _LOCAL.size + name_size + extra_size
        yield entry.header_offset, start + entry.compress_size
    yield from _directory(archive, file)


def _directory(archive: zipfile.ZipFile, file: IO[bytes]) -> Iterator[Span]:
    """Yields the spans of the directory entries, and of the end record without comment.

    Records for large archives may be between them (§4.3.14), but no further entries.
    """
    file.seek(archive.start_dir)
    for _ in archive.infolist():
        entry = _ENTRY.unpack(file.read(_ENTRY.size))
        if entry[0] != DIRECTORY_ENTRY:
            raise ValueError("The directory is shorter than it says")
        file.seek(sum(entry[10:13]), 1)
    end = file.tell()
    found = file.read(_CHUNK).find(END_RECORD)
    if found < 0:
        raise ValueError("The directory does not end")
    yield archive.start_dir, end
    yield end + found, end + found + END_SIZE


def _looks_like_zip(file: IO[bytes], start: int, end: int) -> bool:
    file.seek(start)
    tail, left = b"", end - start
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        if SIGNATURE.search(tail + chunk):
            return True
        # Three octets overlap, for a signature of four that lies across two chunks.
        tail, left = chunk[-3:], left - len(chunk)
    return False
