"""Blobs that are encrypted: each under a key of its own."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.encryption import organisation_keys, stream, wrapping
from engine.encryption.models import FileKey

FILE = b"file"


class _Hashing:
    """A file that is written, with the SHA-256 of all that was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def encrypt_spooled(kind: Kind, spooled: Path, key: bytes, *, purpose: bytes) -> str:
    """Encrypts a complete spool file into a blob and deletes it; returns the blob's key.

    The blob's key holds the digest of what is stored, which is encrypted.
    """
    with spooled.open("rb") as source:
        blob_key = encrypt(kind, source, key, purpose=purpose)
    spooled.unlink()
    return blob_key


def encrypt(kind: Kind, source: BinaryIO, key: bytes, *, purpose: bytes) -> str:
    """Encrypts the rest of a file into a blob, durably, and returns the blob's key."""
    with tempfile.NamedTemporaryFile(dir=store.spool_folder(), delete=False) as file:
        path, target = Path(file.name), _Hashing(cast(BinaryIO, file))
        try:
            stream.copy(key, source, target, purpose=purpose)
            file.flush()
            return store.adopt(kind, path, digest=target.digest.hexdigest())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def decrypted(kind: Kind, blob_key: str, key: bytes, *, purpose: bytes) -> BinaryIO:
    """Opens a blob that is encrypted under a key.

    Raises FileNotFoundError, BlobStoreError and TamperedError; reading may too.
    """
    blob = store.open_blob(kind, blob_key)
    try:
        opened = stream.Decrypted(key, blob, purpose=purpose)
    except BaseException:
        blob.close()
        raise
    return cast(BinaryIO, io.BufferedReader(opened, stream.CHUNK))


def adopt(kind: Kind, spooled: Path, *, organisation_id: int, digest: str = "") -> str:
    """Makes a complete spool file a blob that the organisation's key reads.

    Returns the blob's key. Plain where POSTERN_ENCRYPTION is off; `digest` is the file's
    SHA-256 for that case. Raises MasterKeyUnavailableError.
    """
    if not settings.POSTERN.encryption:
        return store.adopt(kind, spooled, digest=digest)
    held, key = organisation_keys.current(organisation_id), stream.new_key()
    blob_key = encrypt_spooled(kind, spooled, key, purpose=FILE)
    row = FileKey(name=_name(kind, blob_key), key_id=held.row_id)
    row.wrapped = wrapping.wrap(held.secret, key, row.context)
    row.save(force_insert=True)
    return blob_key


def keep(kind: Kind, content: bytes, *, organisation_id: int) -> str:
    """Makes a blob of octets in memory that the organisation's key reads, as `adopt`."""
    with store.spooled(content) as path:
        return adopt(kind, path, organisation_id=organisation_id)


def open_blob(kind: Kind, blob_key: str) -> BinaryIO:
    """Opens a blob, which may be encrypted or from before encryption was switched on.

    Raises as `decrypted` does, NoKeyError and MasterKeyUnavailableError.
    """
    rows = FileKey.objects.filter(name=_name(kind, blob_key)).select_related("key")
    row = rows.first()
    if row is None:
        return store.open_blob(kind, blob_key)
    by = organisation_keys.unwrap(row.key)
    key = wrapping.unwrap(by, bytes(row.wrapped), row.context)
    return decrypted(kind, blob_key, key, purpose=FILE)


def read(kind: Kind, blob_key: str) -> bytes:
    """Reads a whole blob. Raises as `open_blob` does."""
    with open_blob(kind, blob_key) as file:
        return file.read()


def forget(kind: Kind, blob_key: str) -> None:
    """Deletes the key to a blob that is being deleted; a missing one is no error."""
    FileKey.objects.filter(name=_name(kind, blob_key)).delete()


def _name(kind: Kind, blob_key: str) -> str:
    return f"{kind.value}/{blob_key}"
