"""Reads 7z archives: the names of all members, and where their octets are.

By 7zFormat.txt of 7-Zip 26.02. Written without a library, because each count and size that
a header claims must be limited before anything is allocated for it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from itertools import accumulate

from engine.antivirus.formats.inspection_budget import UnlistedError
from engine.antivirus.formats.seven_zip_folder import BROKEN, Folder, unpacked

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
MAX_HEADER = 8 * 1024 * 1024  # octets, for each member some hundred
_MAX_COUNT = 40_000  # members, folders and pack streams
_MAX_ENCODED = 4  # headers within headers; 7-Zip writes one
_START = struct.Struct("<6s2xLQQL")

_AES = b"\x06\xf1\x07\x01"

# Property ids
_END, _HEADER, _ARCHIVE, _MAIN_STREAMS, _FILES = 0x00, 0x01, 0x02, 0x04, 0x05
_PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC = 0x06, 0x07, 0x08, 0x09, 0x0A
_FOLDER, _UNPACK_SIZES, _COUNTS = 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _NAMES, _ENCODED_HEADER = 0x0E, 0x11, 0x17


@dataclass(slots=True)
class Listing:
    """All names, and the names of members with octets, in the order of the octets."""

    names: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)


def is_at(data: bytes, start: int) -> bool:
    """Returns whether an archive starts there, by the checksum of its start header."""
    try:
        found, crc, *_ = _START.unpack_from(data, start)
    except struct.error:
        return False
    return bool(found == SIGNATURE) and crc == zlib.crc32(data[start + 12 : start + 32])


def read(data: bytes) -> Listing:
    """Reads the listing of an archive. Raises UnlistedError."""
    if not is_at(data, 0):
        raise UnlistedError
    _, _, offset, size, crc = _START.unpack_from(data)
    header = data[32 + offset : 32 + offset + size]
    if len(header) != size or zlib.crc32(header) != crc or size > MAX_HEADER:
        raise UnlistedError
    for _ in range(_MAX_ENCODED):
        if not header:
            return Listing()
        reader = _Reader(header)
        kind = reader.octet()
        if kind == _HEADER:
            return _listing(reader, data)
        if kind != _ENCODED_HEADER:
            raise UnlistedError
        header = _decoded_header(_folders(reader, data))
    raise UnlistedError


class _Reader:
    """Reads a header from front to back, never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def octets(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise UnlistedError
        self._at += count
        return found

    def octet(self) -> int:
        return self.octets(1)[0]

    def expect(self, wanted: int) -> None:
        if self.octet() != wanted:
            raise UnlistedError

    def number(self) -> int:
        """Reads a number; the leading set bits of its first octet count the others."""
        first = self.octet()
        mask, extra = 0x80, 0
        while extra < 8 and first & mask:
            mask, extra = mask >> 1, extra + 1
        low = int.from_bytes(self.octets(extra), "little")
        return low if extra == 8 else low | (first & (mask - 1)) << 8 * extra

    def count(self) -> int:
        """Reads a count, which must not exceed _MAX_COUNT."""
        found = self.number()
        if found > _MAX_COUNT:
            raise UnlistedError
        return found

    def bits(self, count: int) -> list[bool]:
        octets = self.octets(-(-count // 8))
        return [bool(octets[n // 8] & 0x80 >> n % 8) for n in range(count)]

    def digests(self, count: int) -> list[bool]:
        """Reads which items have a checksum, and skips the checksums."""
        has = [True] * count if self.octet() else self.bits(count)
        self.octets(4 * sum(has))
        return has


def _listing(reader: _Reader, data: bytes) -> Listing:
    found = Listing()
    kind = reader.octet()
    if kind == _ARCHIVE:
        while reader.number() != _END:
            reader.octets(reader.number())
        kind = reader.octet()
    if kind == _MAIN_STREAMS:
        found.folders = _folders(reader, data)
        kind = reader.octet()
    if kind == _FILES:
        _read_files(reader, found)
        kind = reader.octet()
    if kind != _END:
        raise UnlistedError
    return found


def _read_files(reader: _Reader, found: Listing) -> None:
    count = reader.count()
    empty = [False] * count
    while (kind := reader.number()) != _END:
        value = reader.octets(reader.number())
        if kind == _EMPTY_STREAM:
            empty = _Reader(value).bits(count)
        elif kind == _NAMES:
            # The first octet says whether the names are stored elsewhere.
            if value[:1] != b"\0" or not value.endswith(b"\0\0"):
                raise UnlistedError
            found.names += value[1:].decode("utf-16-le", "replace").split("\0")[:-1]
    if len(found.names) != count:
        raise UnlistedError
    found.filled = [
        name for name, none in zip(found.names, empty, strict=True) if not none
    ]


def _folders(reader: _Reader, data: bytes) -> list[Folder]:
    kind = reader.octet()
    start, sizes, folders = 0, list[int](), list[Folder]()
    if kind == _PACK:
        start, sizes = _pack_sizes(reader)
        kind = reader.octet()
    if kind == _UNPACK:
        folders = _unpack_info(reader)
        kind = reader.octet()
    if kind == _SUBSTREAMS:
        _read_substreams(reader, folders)
        kind = reader.octet()
    if kind != _END:
        raise UnlistedError
    starts = list(accumulate(sizes, initial=32 + start))
    for folder in folders:
        if folder.coder and folder.stream < len(sizes):
            at = starts[folder.stream]
            folder.packed = data[at : at + sizes[folder.stream]]
    return folders


def _pack_sizes(reader: _Reader) -> tuple[int, list[int]]:
    start, count = reader.number(), reader.count()
    sizes: list[int] = []
    while (kind := reader.octet()) != _END:
        if kind == _SIZE:
            sizes = [reader.number() for _ in range(count)]
        elif kind == _CRC:
            reader.digests(count)
        else:
            raise UnlistedError
    return start, sizes


def _unpack_info(reader: _Reader) -> list[Folder]:
    reader.expect(_FOLDER)
    count = reader.count()
    reader.expect(0)  # folders stored elsewhere, which no program writes
    folders: list[Folder] = []
    outs: list[int] = []
    streams = 0
    for _ in range(count):
        folder, out, packed = _folder(reader, streams)
        folders.append(folder)
        outs.append(out)
        streams += packed
    reader.expect(_UNPACK_SIZES)
    for folder, out in zip(folders, outs, strict=True):
        folder.sizes = [reader.number() for _ in range(out)][-1:]
    kind = reader.octet()
    if kind == _CRC:
        for folder, has in zip(folders, reader.digests(count), strict=True):
            folder.has_crc = has
        kind = reader.octet()
    if kind != _END:
        raise UnlistedError
    return folders


def _folder(reader: _Reader, streams: int) -> tuple[Folder, int, int]:
    """Reads a folder; returns it with its numbers of sizes and of pack streams."""
    count = reader.count()
    ins = outs = 0
    coder = properties = b""
    is_encrypted = False
    for _ in range(count):
        flags = reader.octet()
        coder, properties = reader.octets(flags & 0x0F), b""
        one_in, one_out = 1, 1
        if flags & 0x10:
            one_in, one_out = reader.count(), reader.count()
        if flags & 0x20:
            properties = reader.octets(reader.number())
        if flags & 0xC0:
            raise UnlistedError
        is_encrypted = is_encrypted or coder == _AES
        ins, outs = ins + one_in, outs + one_out
    if not 0 < outs <= ins + 1 or ins > 32:
        raise UnlistedError
    for _ in range(2 * (outs - 1)):
        reader.number()
    packed = ins - (outs - 1)
    for _ in range(packed if packed > 1 else 0):
        reader.number()
    is_simple = count == ins == outs == 1
    folder = Folder(coder if is_simple else b"", properties, streams, [])
    folder.is_encrypted = is_encrypted
    return folder, outs, packed


def _read_substreams(reader: _Reader, folders: list[Folder]) -> None:
    kind = reader.octet()
    counts = [1] * len(folders)
    if kind == _COUNTS:
        counts = [reader.count() for _ in folders]
        if sum(counts) > _MAX_COUNT:
            raise UnlistedError
        kind = reader.octet()
    has_sizes = kind == _SIZE
    for folder, count in zip(folders, counts, strict=True):
        whole = sum(folder.sizes)
        several = range(count - 1 if has_sizes else 0)
        sizes = [reader.number() for _ in several]
        folder.sizes = [*sizes, whole - sum(sizes)] if count else []
        if min(folder.sizes, default=0) < 0:
            raise UnlistedError
    if has_sizes:
        kind = reader.octet()
    if kind == _CRC:
        pairs = zip(folders, counts, strict=True)
        reader.digests(sum(n for f, n in pairs if not (n == 1 and f.has_crc)))
        kind = reader.octet()
    if kind != _END:
        raise UnlistedError


def _decoded_header(folders: list[Folder]) -> bytes:
    if len(folders) != 1 or not 0 < sum(folders[0].sizes) <= MAX_HEADER:
        raise UnlistedError
    [size] = folders[0].sizes
    try:
        header = next(unpacked(folders[0]), b"")
    except BROKEN as error:
        raise UnlistedError from error
    if len(header) != size:
        raise UnlistedError
    return header
