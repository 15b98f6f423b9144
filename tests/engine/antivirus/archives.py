"""Builds RAR archives, Outlook items and mutations of them, all from harmless files.

No free program writes either format; both are published.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

RAR4, RAR5 = b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0"


def rar4(
    files: dict[str, bytes],
    *,
    main_flags: int = 0,
    method: int = 0x30,
    flags: int = 0,
    wide: bytes = b"",
) -> bytes:
    """Builds a RAR 4 archive; `wide` is the packed Unicode name of every file."""
    made = RAR4 + _block(0x73, main_flags, bytes(6))
    for name, data in files.items():
        title = name.encode() + (b"\0" + wide if wide else b"")
        fields = struct.pack(
            "<LLBLLBBHL",
            *(len(data), len(data), 3, zlib.crc32(data), 0x5A21_0000, 20),
            *(method, len(title), 0o100644),
        )
        marks = 0x8000 | flags | (0x200 if wide else 0)
        made += _block(0x74, marks, fields + title) + data
    return made + _block(0x7B, 0x4000, b"")


def _block(kind: int, flags: int, rest: bytes) -> bytes:
    header = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header


def rar5(
    files: dict[str, bytes],
    *,
    method: int = 0,
    extra: bytes = b"",
    locked: bool = False,
) -> bytes:
    """Builds a RAR 5 archive; `extra` are records at the end of each file header."""
    made = RAR5
    if locked:
        made += _block5(4, 0, vint(0) + vint(0) + vint(15) + bytes(16))
    made += _block5(1, 0, vint(0))
    for name, data in files.items():
        title = name.encode()
        fields = vint(4) + vint(len(data)) + vint(0o100644)
        fields += zlib.crc32(data).to_bytes(4, "little")
        fields += vint(method << 7) + vint(1) + vint(len(title)) + title
        sizes = (vint(len(extra)) if extra else b"") + vint(len(data))
        made += _block5(2, 3 if extra else 2, sizes + fields + extra) + data
    return made + _block5(5, 0, vint(0))


def _block5(kind: int, flags: int, rest: bytes) -> bytes:
    header = vint(kind) + vint(flags) + rest
    sized = vint(len(header)) + header
    return zlib.crc32(sized).to_bytes(4, "little") + sized


def vint(number: int) -> bytes:
    """Encodes a number with seven bits to an octet, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


Tree = dict[str, "bytes | Tree"]


def attachment(name: str, data: bytes | Tree, *, tag: str = "3707001F") -> Tree:
    """Builds the storage of one attachment; a tree is an embedded item."""
    octets = name.encode("utf-16-le" if tag.endswith("F") else "latin-1")
    kind = "3701000D" if isinstance(data, dict) else "37010102"
    return {
        "__properties_version1.0": bytes(32),
        f"__substg1.0_{tag}": octets,
        f"__substg1.0_{kind}": data,
    }


def item(*attachments: Tree) -> Tree:
    made: Tree = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": "The papers".encode("utf-16-le"),
    }
    for number, one in enumerate(attachments):
        made[f"__attach_version1.0_#{number:08X}"] = one
    return made


FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(tree: Tree) -> bytes:
    """Builds a compound file, [MS-CFB] version 3."""
    return _Writer(tree).octets


class _Writer:
    def __init__(self, tree: Tree) -> None:
        self._sectors: list[bytes] = []
        self._next: list[int] = []
        self._short = bytearray()
        self._short_next: list[int] = []
        self._entries = [self._entry("Root Entry", 5)]
        self._add(0, tree)
        self._set(0, 116, self._store(bytes(self._short)), len(self._short))
        directory = self._store(b"".join(self._entries))
        packed = struct.pack(f"<{len(self._short_next)}L", *self._short_next)
        short = self._store(packed.ljust(-(-len(packed) // 512) * 512, b"\xff"))
        self.octets = self._whole(directory, short, -(-len(packed) // 512))

    def _whole(self, directory: int, short: int, shorts: int) -> bytes:
        count = len(self._sectors)
        tables = 1
        while tables * 128 < count + tables:
            tables += 1
        following = [*self._next, *[TABLE] * tables]
        following += [FREE] * (tables * 128 - len(following))
        places = [*range(count, count + tables), *[FREE] * (109 - tables)]
        header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
        header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
        header += struct.pack("<4L", 0, tables, directory, 0)
        header += struct.pack("<5L", 4096, short, shorts, END, 0)
        header += struct.pack("<109L", *places)
        table = struct.pack(f"<{len(following)}L", *following)
        return header + b"".join(self._sectors) + table

    def _store(self, data: bytes) -> int:
        pieces = [
            data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)
        ]
        first = len(self._sectors)
        self._sectors += pieces
        self._next += [*range(first + 1, first + len(pieces)), END][: len(pieces)]
        return first if pieces else END

    def _store_short(self, data: bytes) -> int:
        first, count = len(self._short_next), -(-len(data) // 64)
        self._short += data.ljust(64 * count, b"\0")
        self._short_next += [*range(first + 1, first + count), END][:count]
        return first if count else END

    def _entry(self, name: str, kind: int) -> bytes:
        title = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<3L", FREE, FREE, FREE)
        named = title.ljust(64, b"\0") + struct.pack("<HBB", len(title), kind, 1)
        return (named + links).ljust(116, b"\0") + struct.pack("<LQ", END, 0)

    def _set(self, number: int, at: int, *values: int) -> None:
        entry = self._entries[number]
        packed = struct.pack(f"<{len(values)}L", *values)
        self._entries[number] = entry[:at] + packed + entry[at + len(packed) :]

    def _add(self, parent: int, tree: Tree) -> None:
        """Adds siblings in a row to the right, in the order of the format."""
        before = None
        for name, value in sorted(tree.items(), key=lambda one: (len(one[0]), one[0])):
            number = len(self._entries)
            self._entries.append(self._entry(name, 1 if isinstance(value, dict) else 2))
            if before is None:
                self._set(parent, 76, number)
            else:
                self._set(before, 72, number)
            before = number
            if isinstance(value, dict):
                self._add(number, value)
            else:
                store = self._store if len(value) >= 4096 else self._store_short
                self._set(number, 116, store(value), len(value))


def mutations(data: bytes, places: Iterable[tuple[int, int]]) -> bytes:
    """Replaces some octets; places count from the front, modulo the length."""
    made = bytearray(data)
    for place, octet in places:
        made[place % len(made)] = octet
    return bytes(made)
