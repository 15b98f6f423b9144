"""Two stores at once, while blobs move from one to the other."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.blobs.interface import BlobStore, Kind, Stored


class PairedStore:
    """Writes to the first store; reads from it, and from the second what it lacks."""

    def __init__(self, first: BlobStore, second: BlobStore) -> None:
        self.first, self.second = first, second

    @property
    def name(self) -> str:
        """The names of both."""
        return f"{self.first.name} and {self.second.name}"

    @property
    def identity(self) -> str:
        """The identity of the first, which is written to."""
        return self.first.identity

    def probe(self) -> None:
        """Probes both: most blobs may be in the second."""
        self.first.probe()
        self.second.probe()

    def put(self, kind: Kind, key: str, path: Path) -> None:
        """Stores a file in the first."""
        self.first.put(kind, key, path)

    def open(self, kind: Kind, key: str) -> BinaryIO:
        """Opens the blob in either. Raises FileNotFoundError if neither has it."""
        for store in (self.first, self.second):
            try:
                return store.open(kind, key)
            except FileNotFoundError:
                continue
        # It may have been moved after the first was asked.
        return self.first.open(kind, key)

    def digest(self, kind: Kind, key: str) -> str:
        """Reads the blob in either and returns its SHA-256."""
        for store in (self.first, self.second):
            try:
                return store.digest(kind, key)
            except FileNotFoundError:
                continue
        return self.first.digest(kind, key)

    def find(self, kind: Kind, key: str) -> Stored | None:
        """Returns the blob's size and time in either."""
        return (
            self.first.find(kind, key)
            or self.second.find(kind, key)
            or self.first.find(kind, key)
        )

    def delete(self, kind: Kind, key: str) -> None:
        """Deletes the blob from both; from the second first, where it would move from."""
        self.second.delete(kind, key)
        self.first.delete(kind, key)

    def list(self, kind: Kind, *, after: str = "") -> Iterator[Stored]:
        """Yields the blobs of both in the order of their keys, each once."""
        found = heapq.merge(
            self.first.list(kind, after=after),
            self.second.list(kind, after=after),
            key=lambda one: one.key,
        )
        last = ""
        for one in found:
            if one.key != last:
                yield one
            last = one.key
