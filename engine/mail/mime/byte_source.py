"""Octets in memory or in a file, read piece by piece."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

PIECE = 256 * 1024  # octets


class ByteSource(Protocol):
    """What `bytes` and `FileBytes` have in common."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class FileBytes:
    """The octets of a complete file; each slice is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, end, _ = part.indices(self._size)
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(max(0, end - start))


def count(source: ByteSource, octet: bytes, start: int, end: int) -> int:
    """Returns how often an octet occurs between two positions of the source."""
    return sum(
        source[at : min(at + PIECE, end)].count(octet)
        for at in range(start, end, PIECE)
    )
