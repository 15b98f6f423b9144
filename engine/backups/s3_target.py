"""Keeps backups in an S3 bucket."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, cast

from engine.blobs.s3_address import S3Address
from engine.blobs.s3_bucket import PART, S3Bucket

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SETTING = "POSTERN_BACKUP_TARGET"
# S3 takes up to 10,000 parts of one object.
MOST_PARTS = 9_000
# Folders of blobs whose sizes are known at the same time. Blobs are asked about in the
# order of their keys, and so folder by folder, by a few threads.
FOLDERS = 8


class S3Target:
    """A bucket, or what is below a prefix of it.

    Whether a blob is there is answered from lists of 256 folders of each kind: for a
    million blobs, a thousand requests in the place of a million.
    """

    def __init__(self, address: S3Address) -> None:
        self._bucket = S3Bucket(address, setting=SETTING)
        self._sizes: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The URL without credentials."""
        return self._bucket.name

    def write(self, name: str, chunks: Iterable[bytes], *, size: int = 0) -> None:
        """Uploads what fits one request as one, and more in parts."""
        source = iter(chunks)
        first = _up_to(PART, source)
        length = len(first)
        if length < PART:
            self._bucket.put(name, first)
        else:
            counted = _Counted(chain([first], source))
            part = max(PART, size // MOST_PARTS)
            self._bucket.put_stream(name, iter(counted), part=part)
            length = counted.size
        with self._lock:
            if (known := self._sizes.get(_folder(name))) is not None:
                known[name] = length

    def open(self, name: str) -> BinaryIO:
        """Opens a download, which is read once from its beginning to its end."""
        chunks = self._bucket.chunks(name)
        # The request is sent here, so that a missing object is said here.
        first = next(chunks, b"")
        reader = io.BufferedReader(_Download(chain([first], chunks)), PART)
        return cast(BinaryIO, reader)

    def size(self, name: str) -> int | None:
        """Returns an object's size, from a list of its folder."""
        folder = _folder(name)
        with self._lock:
            known = self._sizes.get(folder)
            if known is None:
                found = self._bucket.list(folder)
                known = {one.key: one.size for one in found}
                self._sizes[folder] = known
                if len(self._sizes) > FOLDERS:
                    self._sizes.popitem(last=False)
            return known.get(name)

    def backups(self) -> list[str]:
        """Returns what is in the folder of backups and has a manifest."""
        names = [one.key for one in self._bucket.list("backups")]
        return sorted(
            name.split("/")[1] for name in names if name.endswith("/manifest.json")
        )


class _Counted:
    """Counts the octets that pass."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


class _Download(io.RawIOBase):
    """The chunks of a download as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        space = memoryview(buffer)
        count = min(len(space), len(self._left))
        space[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _up_to(size: int, source: Iterator[bytes]) -> bytes:
    """Takes chunks until they have `size` octets, or all that there are."""
    taken = bytearray()
    for chunk in source:
        taken += chunk
        if len(taken) >= size:
            break
    return bytes(taken)
