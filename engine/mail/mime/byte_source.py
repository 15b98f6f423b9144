"""Octets in memory or in a file, read piece by piece."""

from __future__ import annotations

import os
import weakref
from typing import BinaryIO, Protocol

PIECE = 256 * 1024  # octets


class ByteSource(Protocol):
    """What `bytes` and `FileBytes` have in common."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...

    def find(self, octets: bytes, start: int, end: int, /) -> int:
        """Returns the first position of these octets in a range, or -1."""


class FileBytes:
    """The octets of a complete file; each slice is read when it is asked for.

    It keeps the file open, also where its name is gone, and closes it with itself.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = os.dup(file.fileno())
        self._size = os.fstat(self._descriptor).st_size
        weakref.finalize(self, os.close, self._descriptor)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, end, _ = part.indices(self._size)
        found: list[bytes] = []
        while start < end and (
            octets := os.pread(self._descriptor, end - start, start)
        ):
            found.append(octets)
            start += len(octets)
        return found[0] if len(found) == 1 else b"".join(found)

    def find(self, octets: bytes, start: int, end: int, /) -> int:
        """Returns the first position of these octets in a range, or -1."""
        end = min(end, self._size)
        for at in range(start, end, PIECE):
            piece = self[at : min(at + PIECE + len(octets) - 1, end)]
            found = piece.find(octets)
            if found >= 0:
                return at + found
        return -1


def count(source: ByteSource, octet: bytes, start: int, end: int) -> int:
    """Returns how often an octet occurs between two positions of the source."""
    return sum(
        source[at : min(at + PIECE, end)].count(octet)
        for at in range(start, end, PIECE)
    )
