"""Reads compound files ([MS-CFB]): attachments of Outlook items ([MS-OXMSG]), and whether
an office document is encrypted ([MS-OFFCRYPTO]).

Written without a library, so that we decide how much is read, whatever a header claims.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from engine.antivirus.formats.inspection_budget import UnlistedError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 40_000  # streams and storages
_MAX_NAME = 4096  # octets; Windows takes 260 characters for a path
_CUTOFF = 4096  # octets from which a stream has sectors of its own (§2.2)
_SHORT = 64  # octets in the sectors of the others
_ENTRY = 128
_IN_HEADER = 109  # sectors of the table that the header names (§2.2)
_STORAGE = 1  # an entry's kind (§2.6.1)
_NONE = 0xFFFFFFFF

# PidTagAttachLongFilename, ...Filename, ...LongPathname, ...Pathname, and
# PidTagDisplayName: what Outlook shows, in this order; Unicode and eight-bit.
_NAMES = ("3707", "3704", "370d", "3708", "3001")
_EXTENSION = "3703"
_TEXTS = {"001f": "utf-16-le", "001e": "latin-1"}
_DATA = "__substg1.0_37010102"
_ITEM = "__substg1.0_3701000d"
_ATTACHMENT = "__attach_version1.0_#"

# A document of Office 2007 and later, encrypted as a whole ([MS-OFFCRYPTO] §2.3.4.4), or
# with rights management ([MS-OFFCRYPTO] §2.2.4)
_PACKAGES = frozenset(("encryptedpackage", "\x09drmcontent", "\x09drmviewercontent"))
_IN_WORD = 0x0100  # fEncrypted among the flags at 0x0A ([MS-DOC] §2.5.2)
_IN_POWERPOINT = 0xF3D1C4DF  # headerToken at 12 ([MS-PPT] §2.3.2)
_FILEPASS = 0x2F  # a record of Excel ([MS-XLS] §2.4.117), one of the first
_MOST_RECORDS = 8


class Attachment(NamedTuple):
    """All names that a program may give it, and its octets.

    An item inside the item has no octets: its attachments are yielded separately.
    """

    names: tuple[str, ...]
    data: bytes


class _Entry(NamedTuple):
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


def attachments(data: bytes) -> Iterator[Attachment]:
    """Yields the attachments of an Outlook item and of items inside it.

    Yields none for other compound files. Raises ValueError or struct.error for any other
    file, and UnlistedError for one with more entries than MAX_ENTRIES, or with an entry in
    several places.
    """
    file = _File(data)
    for storage, children in file.storages():
        if storage.name.startswith(_ATTACHMENT):
            streams = {entry.name: entry for entry in children}
            content = streams.get(_DATA)
            # An item's name is its subject, in which a domain must not count as an ending.
            if content is None and _ITEM in streams:
                continue
            names = tuple(_names(file, streams))
            yield Attachment(names, file.read(content) if content else b"")


def is_encrypted(data: bytes) -> bool:
    """Returns whether a document in it is encrypted. Raises as `attachments` does."""
    file = _File(data)
    for _, children in file.storages():
        for entry in children:
            if entry.name in _PACKAGES:
                return True
            look = _LOOKS.get(entry.name)
            if look and look(file.read(entry, _CUTOFF)):
                return True
    return False


def _is_locked_word(start: bytes) -> bool:
    return bool(int.from_bytes(start[0x0A:0x0C], "little") & _IN_WORD)


def _is_locked_powerpoint(start: bytes) -> bool:
    return int.from_bytes(start[12:16], "little") == _IN_POWERPOINT


def _is_locked_excel(start: bytes) -> bool:
    at = 0
    for _ in range(_MOST_RECORDS):
        kind, size = struct.unpack_from("<HH", start.ljust(at + 4, b"\0"), at)
        if kind == _FILEPASS:
            return True
        at += 4 + size
    return False


_LOOKS = {
    "worddocument": _is_locked_word,
    "current user": _is_locked_powerpoint,
    "workbook": _is_locked_excel,
    "book": _is_locked_excel,
}


def _names(file: _File, streams: dict[str, _Entry]) -> Iterator[str]:
    for tag in (*_NAMES, _EXTENSION):
        for kind, coding in _TEXTS.items():
            if entry := streams.get(f"__substg1.0_{tag}{kind}"):
                yield file.read(entry, _MAX_NAME).decode(coding, "replace").rstrip("\0")


class _File:
    """The sectors, their table, and the directory of streams."""

    def __init__(self, data: bytes) -> None:
        shift, mini_shift = struct.unpack_from("<HH", data, 0x1E)
        if shift not in (9, 12) or 1 << mini_shift != _SHORT:
            raise ValueError("Sectors have a size that they cannot have")
        self._data, self._size = data, 1 << shift
        self._table = self._read_table()
        (directory,) = struct.unpack_from("<L", data, 0x30)
        (mini,) = struct.unpack_from("<L", data, 0x3C)
        self._entries = self._read_entries(directory)
        self._short = self._chain(self._entries[0].start, len(data))
        count = len(self._short) // _SHORT
        self._short_table = _numbers(self._chain(mini, 4 * count)[: 4 * count])

    def storages(self) -> Iterator[tuple[_Entry, list[_Entry]]]:
        """Yields each storage, at any depth, with its direct entries."""
        waiting, left = [self._entries[0]], len(self._entries)
        while waiting:
            storage = waiting.pop()
            children = self._tree(storage.child)
            # Each entry has one place; otherwise a few octets could name very many files.
            left -= len(children)
            if left < 0:
                raise UnlistedError
            yield storage, children
            waiting += (entry for entry in children if entry.kind == _STORAGE)

    def read(self, entry: _Entry, most: int | None = None) -> bytes:
        size = entry.size if most is None else min(entry.size, most)
        if entry.size >= _CUTOFF:
            return self._chain(entry.start, size)[:size]
        found = bytearray()
        at = entry.start
        while len(found) < size and at < len(self._short_table):
            found += self._short[at * _SHORT : (at + 1) * _SHORT]
            at = self._short_table[at]
        return bytes(found[:size])

    def _tree(self, number: int) -> list[_Entry]:
        found = dict[int, _Entry]()
        waiting = [number]
        while waiting:
            number = waiting.pop()
            # A number that was met before is passed over: a hostile tree may run in a
            # circle.
            if number < len(self._entries) and number not in found:
                found[number] = entry = self._entries[number]
                waiting += entry.left, entry.right
        return list(found.values())

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._data[start : start + self._size]

    def _read_table(self) -> list[int]:
        """Reads the sector after each sector, for no more sectors than exist."""
        count = len(self._data) // self._size
        needed = -(-4 * count // self._size)
        sectors = list(struct.unpack_from(f"<{_IN_HEADER}L", self._data, 0x4C))
        (more,) = struct.unpack_from("<L", self._data, 0x44)
        while more < count and len(sectors) < needed:
            *others, more = _numbers(self._sector(more)) or [_NONE]
            sectors += others or [_NONE]
        return _numbers(b"".join(map(self._sector, sectors[:needed])))

    def _chain(self, number: int, size: int) -> bytes:
        """Reads the chain of sectors from this one: `size` octets at least, or to its end."""
        found = []
        # No more than the file has: sectors may name each other in a circle.
        left = min(size, len(self._data))
        while left > 0 and number < len(self._table):
            found.append(self._sector(number))
            left -= self._size
            number = self._table[number]
        return b"".join(found)

    def _read_entries(self, start: int) -> list[_Entry]:
        octets = self._chain(start, (MAX_ENTRIES + 1) * _ENTRY)
        count = len(octets) // _ENTRY
        if count == 0:
            raise ValueError("There is no directory")
        if count > MAX_ENTRIES:
            raise UnlistedError
        return [self._entry(octets, number * _ENTRY) for number in range(count)]

    def _entry(self, octets: bytes, at: int) -> _Entry:
        length, kind = struct.unpack_from("<HB", octets, at + 64)
        name = octets[at : at + max(0, min(length, 64) - 2)]
        left, right, child = struct.unpack_from("<LLL", octets, at + 68)
        start, size = struct.unpack_from("<LL", octets, at + 116)
        text = name.decode("utf-16-le", "replace").casefold()
        return _Entry(text, kind, left, right, child, start, size)


def _numbers(octets: bytes) -> list[int]:
    count = len(octets) // 4
    return list(struct.unpack_from(f"<{count}L", octets))
