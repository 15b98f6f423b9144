"""Keeps blobs in an S3 bucket: the store of several hosts."""

from __future__ import annotations

import hashlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from engine.blobs import keys, read_cache
from engine.blobs.interface import BlobDamagedError, Kind, Stored
from engine.blobs.s3_address import S3Address
from engine.blobs.s3_bucket import S3Bucket
from engine.secrets import state_folder


class S3Store:
    """A bucket, or what is below a prefix of it.

    A blob is read by downloading it whole, so that a slow reader holds no connection to
    the store, and every reader gets a file, verified, in which it can seek.
    """

    def __init__(self, address: S3Address) -> None:
        self._bucket = S3Bucket(address, setting="POSTERN_BLOB_URL")

    @property
    def name(self) -> str:
        """The URL without credentials."""
        return self._bucket.name

    @property
    def identity(self) -> str:
        """The bucket and its endpoint."""
        return self._bucket.name

    def probe(self) -> None:
        """Writes an object of this host, in a few seconds or not at all."""
        self._bucket.probe(f"probe/{socket.gethostname()}")

    def put(self, kind: Kind, key: str, path: Path) -> None:
        """Uploads a file, and returns once the store has confirmed it whole.

        The file becomes the cached copy.
        """
        self._bucket.put(_object(kind, key), path)
        if kind is Kind.BODY:
            read_cache.take_over(key, path)
        path.unlink(missing_ok=True)

    def open(self, kind: Kind, key: str) -> BinaryIO:
        """Opens the cached copy, or a download. Raises FileNotFoundError."""
        keys.check(key)
        if kind is Kind.BODY and (cached := read_cache.open_copy(key)):
            return cached
        folder = state_folder.subfolder("spool")
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            path = Path(file.name)
            try:
                self._download(kind, key, cast(BinaryIO, file))
                file.flush()
                opened = path.open("rb")
                if kind is Kind.BODY:
                    read_cache.take_over(key, path)
                return opened
            finally:
                path.unlink(missing_ok=True)

    def digest(self, kind: Kind, key: str) -> str:
        """Reads the object and returns its SHA-256. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        for chunk in self._bucket.chunks(_object(kind, key)):
            digest.update(chunk)
        return digest.hexdigest()

    def find(self, kind: Kind, key: str) -> Stored | None:
        """Returns the object's size and time."""
        found = self._bucket.find(_object(kind, key))
        return found and replace(found, key=key)

    def delete(self, kind: Kind, key: str) -> None:
        """Deletes the object and its cached copy."""
        read_cache.forget(key)
        self._bucket.delete(_object(kind, key))

    def list(self, kind: Kind, *, after: str = "") -> Iterator[Stored]:
        """Yields the objects, a page of them at a time."""
        start = _object(kind, after) if after else None
        for found in self._bucket.list(kind.value, after=start):
            yield replace(found, key=found.key.removeprefix(f"{kind}/"))

    def _download(self, kind: Kind, key: str, file: BinaryIO) -> None:
        digest = hashlib.sha256()
        for chunk in self._bucket.chunks(_object(kind, key)):
            file.write(chunk)
            digest.update(chunk)
        if keys.digest_in(key) not in (None, digest.hexdigest()):
            raise BlobDamagedError(
                f"{kind}/{key} in {self.name} is damaged: its SHA-256 is another one."
            )


def _object(kind: Kind, key: str) -> str:
    keys.check(key)
    return f"{kind}/{key}"
