"""Stores and reads blobs, in the configured store. Blocks: call it in a thread."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import DatabaseError, transaction

from engine.blobs import deletion_pause, keys
from engine.blobs.interface import BlobStore, BlobStoreError, Kind, Stored
from engine.blobs.local_store import LocalStore
from engine.blobs.paired_store import PairedStore
from engine.blobs.s3_address import S3Address
from engine.blobs.s3_store import S3Store
from engine.secrets import state_folder

log = logging.getLogger(__name__)

# The value of POSTERN_BLOB_URL that means files in the state folder.
FILES = "files"


def configured() -> BlobStore:
    """Returns the store of POSTERN_BLOB_URL, with that of POSTERN_BLOB_SECOND_URL."""
    ours = settings.POSTERN
    first = _made(ours.blob_url)
    if not ours.blob_second_url:
        return first
    return PairedStore(first, _made(ours.blob_second_url))


@lru_cache(maxsize=8)
def _made(url: str) -> BlobStore:
    return LocalStore() if url == FILES else S3Store(S3Address.parse(url))


def identities() -> tuple[str, str]:
    """Returns the identity of the store that is written, and of the second or "".

    Raises OSError where the state folder cannot be read.
    """
    second = settings.POSTERN.blob_second_url
    return configured().identity, _made(second).identity if second else ""


def spool_folder() -> Path:
    """Returns the folder where a blob is written before it is complete.

    On the file system of the local store, so that `adopt` can rename instead of copying.
    """
    return state_folder.subfolder("spool")


def adopt(kind: Kind, spooled: Path, *, digest: str = "") -> str:
    """Makes a complete spool file a blob, durably, and returns its key.

    `digest` is the file's SHA-256 in hexadecimal, which is computed where it is empty.
    """
    if not digest:
        with spooled.open("rb") as file:
            digest = keys.digest_of(file)
    key = keys.new(digest)
    configured().put(kind, key, spooled)
    return key


def keep(kind: Kind, content: bytes) -> str:
    """Makes a blob of octets in memory, durably, and returns its key."""
    with spooled(content) as path:
        return adopt(kind, path)


@contextmanager
def spooled(content: bytes) -> Iterator[Path]:
    """Writes octets to a spool file, which is deleted where the block leaves it there."""
    with tempfile.NamedTemporaryFile(dir=spool_folder(), delete=False) as file:
        path = Path(file.name)
        try:
            file.write(content)
            file.flush()
            yield path
        finally:
            path.unlink(missing_ok=True)


def open_blob(kind: Kind, key: str) -> BinaryIO:
    """Opens a blob for reading and seeking. Raises FileNotFoundError, BlobStoreError."""
    return configured().open(kind, key)


def read(kind: Kind, key: str) -> bytes:
    """Reads a whole blob into memory. Raises FileNotFoundError, BlobStoreError."""
    with open_blob(kind, key) as file:
        return file.read()


def exists(kind: Kind, key: str) -> bool:
    """Returns whether a blob is there. Raises BlobStoreError."""
    return configured().find(kind, key) is not None


def delete(kind: Kind, *blob_keys: str) -> None:
    """Deletes blobs; a missing one is no error. Raises BlobStoreError.

    While a backup copies blobs, they are left to their kind's sweep. One query.
    """
    if not deletion_pause.is_on():
        for key in blob_keys:
            configured().delete(kind, key)


def discard(kind: Kind, key: str) -> None:
    """Deletes a blob that no row was committed for; a missing one is no error.

    No backup can refer to it, so that none needs to be waited for, and the database is not
    asked. Leaves it to its kind's sweep where the store does not answer.
    """
    try:
        configured().delete(kind, key)
    except BlobStoreError as error:
        log.warning("%s of %s is left to the sweep: %s", key, kind, error)


def _delete_or_leave(kind: Kind, *blob_keys: str) -> None:
    """Deletes blobs, or leaves them to their kind's sweep.

    Where the store does not answer, or the database, which says whether a backup runs.
    """
    try:
        delete(kind, *blob_keys)
    except (BlobStoreError, DatabaseError) as error:
        log.warning(
            "%s of %s: left to the sweep: %s", ", ".join(blob_keys), kind, error
        )


def delete_after_commit(kind: Kind, *blob_keys: str) -> None:
    """Deletes blobs once the transaction that deleted their rows is committed.

    Never before: a blob cannot come back when the transaction is rolled back.
    """
    if blob_keys:
        transaction.on_commit(partial(_delete_or_leave, kind, *blob_keys))


def listing(kind: Kind, *, after: str = "") -> Iterator[Stored]:
    """Yields the blobs whose keys sort after `after`, in the order of their keys."""
    return configured().list(kind, after=after)
