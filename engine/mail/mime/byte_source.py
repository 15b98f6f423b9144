"""Octets that stand in memory or in a file, read by the piece."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

PIECE = 256 * 1024


class Octets(Protocol):
    """What `bytes` and `FileOctets` have in common."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class FileOctets:
    """The octets of a file that nobody writes to any more; a slice is read when asked for."""

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


def count(source: Octets, octet: bytes, start: int, end: int) -> int:
    """How often one octet stands in a part of the source."""
    return sum(
        source[at : min(at + PIECE, end)].count(octet)
        for at in range(start, end, PIECE)
    )
