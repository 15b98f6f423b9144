"""Reads RAR archives: the names of all members, and the octets of uncompressed ones.

RAR 1.5 to 4 after technote.txt of RAR 4, RAR 5 after "RAR 5.0 archive format"
(rarlab.com/technote.htm). Headers are not compressed; how members are is not published.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from engine.antivirus.formats.inspection_budget import UnlistedError

SIGNATURE = b"Rar!\x1a\x07"
_FOUR, _FIVE = SIGNATURE + b"\0", SIGNATURE + b"\x01\0"

# RAR 4
_BLOCK = struct.Struct("<HBHH")  # checksum, type, flags, size
_FILE = struct.Struct("<LLBLLBBHL")  # what follows in the header of a file
_MAIN, _MEMBER, _SERVICE, _LAST = 0x73, 0x74, 0x7A, 0x7B
_HAS_DATA, _IS_LOCKED = 0x8000, 0x0080
_IS_ENCRYPTED, _IS_LARGE, _IS_UNICODE, _IS_SPLIT = 0x04, 0x100, 0x200, 0x03
_STORED = 0x30

# RAR 5
_MEMBER5, _ENCRYPTION5, _LAST5 = 2, 4, 5
_HAS_EXTRA5, _HAS_DATA5, _IS_SPLIT5 = 0x01, 0x02, 0x18
_HAS_TIME5, _HAS_CRC5 = 0x02, 0x04
_METHOD5 = 0x0380
_MAX_NAME = 64 * 1024  # octets; RAR writes up to 2,048 characters
_MAX_BLOCKS = 100_000  # members, and what else stands between them


class Member(NamedTuple):
    """All names that a program may read, and the octets if they are not compressed."""

    names: tuple[str, ...]
    data: bytes
    is_encrypted: bool


def is_at(data: bytes, start: int) -> bool:
    """Returns whether an archive starts there, by the checksum of its first header."""
    try:
        if data.startswith(_FIVE, start):
            at = start + len(_FIVE)
            size, first = _number(data, at + 4)
            crc = int.from_bytes(data[at : at + 4], "little")
            return zlib.crc32(data[at + 4 : first + min(size, _MAX_NAME)]) == crc
        if data.startswith(_FOUR, start):
            at = start + len(_FOUR)
            crc, _, _, size = _BLOCK.unpack_from(data, at)
            return bool(zlib.crc32(data[at + 2 : at + size]) & 0xFFFF == crc)
    except (UnlistedError, struct.error):
        pass
    return False


def members(data: bytes, start: int = 0) -> Iterator[Member]:
    """Yields the members of the archive that starts there.

    Ends with the data, as a volume may. Raises UnlistedError for encrypted names, an
    impossible header, or more than _MAX_BLOCKS blocks.
    """
    if data.startswith(_FIVE, start):
        yield from _of_five(data, start + len(_FIVE))
    elif data.startswith(_FOUR, start):
        yield from _of_four(data, start + len(_FOUR))
    else:
        raise UnlistedError


def _of_four(data: bytes, at: int) -> Iterator[Member]:
    for _ in range(_MAX_BLOCKS):
        if at + _BLOCK.size > len(data):
            return
        _, kind, flags, size = _BLOCK.unpack_from(data, at)
        if size < _BLOCK.size or (kind == _MAIN and flags & _IS_LOCKED):
            raise UnlistedError
        header = data[at + _BLOCK.size : at + size]
        at += size
        if kind == _MEMBER:
            member, packed = _member_of_four(header, flags, data, at)
            yield member
        elif kind == _LAST:
            return
        elif kind == _SERVICE and flags & _IS_LARGE:
            packed = _packed_size(header, flags)
        else:
            packed = int.from_bytes(header[:4], "little") if flags & _HAS_DATA else 0
        at += packed
    raise UnlistedError


def _packed_size(header: bytes, flags: int) -> int:
    # The upper half of a large size follows the fields that every file has.
    high = header[_FILE.size : _FILE.size + 4] if flags & _IS_LARGE else b""
    return int.from_bytes(header[:4] + high, "little")


def _member_of_four(
    header: bytes, flags: int, data: bytes, at: int
) -> tuple[Member, int]:
    if len(header) < _FILE.size:
        raise UnlistedError
    fields = _FILE.unpack_from(header)
    method, name_size = fields[6], fields[7]
    start = _FILE.size + (8 if flags & _IS_LARGE else 0)
    name = header[start : start + name_size]
    packed = _packed_size(header, flags)
    is_encrypted = bool(flags & _IS_ENCRYPTED)
    is_plain = method == _STORED and not flags & _IS_SPLIT and not is_encrypted
    content = data[at : at + packed] if is_plain else b""
    return Member(tuple(_names_of_four(name, flags)), content, is_encrypted), packed


def _names_of_four(name: bytes, flags: int) -> Iterator[str]:
    plain, _, wide = name.partition(b"\0")
    yield plain.decode("utf-8", "replace")
    yield plain.decode("cp437")
    if flags & _IS_UNICODE and wide:
        yield _widened(plain, wide)


def _widened(plain: bytes, wide: bytes) -> str:
    """Decodes the second name, which is stored as differences from the first."""
    found: list[int] = []
    octets = iter(wide)
    high, flags, left = next(octets) << 8, 0, 0
    try:
        while True:
            if not left:
                flags, left = next(octets), 4
            kind, flags, left = flags >> 6, flags << 2 & 0xFF, left - 1
            if kind < 2:
                found.append(next(octets) | (high if kind else 0))
            elif kind == 2:
                found.append(next(octets) | next(octets) << 8)
            else:
                length = next(octets)
                more = next(octets) if length & 0x80 else None
                same = plain[len(found) : len(found) + (length & 0x7F) + 2]
                found += (
                    same if more is None else ((c + more & 0xFF) | high for c in same)
                )
    except StopIteration:
        pass
    raw = b"".join(unit.to_bytes(2, "little") for unit in found)
    return raw.decode("utf-16-le", "replace")


def _of_five(data: bytes, at: int) -> Iterator[Member]:
    for _ in range(_MAX_BLOCKS):
        if at >= len(data):
            return
        size, first = _number(data, at + 4)
        end = first + size
        if size < 2:
            raise UnlistedError
        header = data[first:end]
        kind, here = _number(header, 0)
        flags, here = _number(header, here)
        extra, here = _number(header, here) if flags & _HAS_EXTRA5 else (0, here)
        packed, here = _number(header, here) if flags & _HAS_DATA5 else (0, here)
        if kind == _ENCRYPTION5:
            raise UnlistedError
        if kind == _MEMBER5:
            is_encrypted = _is_encrypted(header, extra)
            is_plain = not flags & _IS_SPLIT5 and not is_encrypted
            content = data[end : end + packed] if is_plain else b""
            yield _member_of_five(header, here, content, is_encrypted)
        elif kind == _LAST5:
            return
        at = end + packed
    raise UnlistedError


def _member_of_five(
    header: bytes, at: int, content: bytes, is_encrypted: bool
) -> Member:
    flags, at = _number(header, at)
    _, at = _number(header, at)  # octets when unpacked
    _, at = _number(header, at)  # attributes
    at += 4 * (bool(flags & _HAS_TIME5) + bool(flags & _HAS_CRC5))
    compression, at = _number(header, at)
    _, at = _number(header, at)  # operating system
    size, at = _number(header, at)
    name = header[at : at + size]
    if len(name) != size or size > _MAX_NAME:
        raise UnlistedError
    is_stored = not compression & _METHOD5
    shown = (name.decode("utf-8", "replace"),)
    return Member(shown, content if is_stored else b"", is_encrypted)


def _is_encrypted(header: bytes, extra: int) -> bool:
    """Returns whether the extra area has an encryption record (type 1)."""
    at = len(header) - extra
    while 0 < at < len(header):
        size, start = _number(header, at)
        kind, _ = _number(header, start)
        if kind == 1:
            return True
        at = start + max(size, 1)
    return False


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Reads a number of seven bits per octet, lowest first; returns it and its end."""
    found = 0
    for count in range(10):
        if at + count >= len(data):
            break
        found |= (data[at + count] & 0x7F) << 7 * count
        if not data[at + count] & 0x80:
            return found, at + count + 1
    raise UnlistedError
