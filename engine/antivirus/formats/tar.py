"""Reads the files in a tar archive by their sizes alone, whatever their names.

Not with tarfile, which a hostile archive can keep busy indefinitely (CVE-2025-8194).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from engine.antivirus.formats.unpack_limits import UNREADABLE, Unscannable

BLOCK = 512
# POSIX ustar: fields of a header block.
NAME = slice(0, 100)
PREFIX = slice(345, 500)
SIZE = slice(124, 136)
CHECKSUM = slice(148, 156)
TYPE = slice(156, 157)
PAX_TYPES = (b"x", b"g")
SPARSE = b"S"  # GNU: headers continue where the size says that data begins
LONG_NAME = b"L"  # GNU: the data is the name of the next entry
MAX_NAME = 4096  # octets, the most that Linux takes for a path
_PAX_PATH = re.compile(rb"\d+ path=([^\n]*)\n")


class Entry(NamedTuple):
    """The size of an entry in octets, and a name that it, or the next one, has."""

    size: int
    name: str


def is_header(block: bytes) -> bool:
    """Returns whether the block's checksum matches, which tells tar from other formats."""
    if len(block) < BLOCK:
        return False
    try:
        claimed = int(block[CHECKSUM].rstrip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    # The sum counts the checksum field itself as eight spaces (POSIX ustar).
    return claimed == sum(block[: CHECKSUM.start]) + 8 * 0x20 + sum(
        block[CHECKSUM.stop : BLOCK]
    )


def entries(archive: IO[bytes]) -> Iterator[Entry]:
    """Yields each entry, with the file positioned at its data.

    The caller may read the entry's size or nothing. Raises Unscannable for an archive that
    is broken, or whose entries another reader might find elsewhere.
    """
    while block := archive.read(BLOCK):
        if not any(block):
            continue
        if not is_header(block) or block[TYPE] == SPARSE:
            raise Unscannable(UNREADABLE)
        size, start = _number(block[SIZE]), archive.tell()
        name = b"/".join(_field(block, part) for part in (PREFIX, NAME)).lstrip(b"/")
        if block[TYPE] in PAX_TYPES:
            records = archive.read(min(size, 64 * BLOCK))
            _check_pax(records, size)
            name = b"".join(_PAX_PATH.findall(records)[-1:])
        elif block[TYPE] == LONG_NAME:
            name = archive.read(min(size, MAX_NAME)).rstrip(b"\0")
        archive.seek(start)
        yield Entry(size, name.decode("utf-8", "replace"))
        # Data is padded to whole blocks.
        archive.seek(start + -(-size // BLOCK) * BLOCK)


def _field(block: bytes, part: slice) -> bytes:
    return block[part].split(b"\0")[0]


def _number(value: bytes) -> int:
    """Parses an octal number, or GNU's base 256 where the top bit is set."""
    try:
        if value[0] == 0x80:
            return int.from_bytes(value[1:], "big")
        return int(value.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise Unscannable(UNREADABLE) from error


def _check_pax(records: bytes, size: int) -> None:
    """Refuses pax records that change the size of the next entry."""
    if len(records) < size or b" size=" in records:
        raise Unscannable(UNREADABLE)
