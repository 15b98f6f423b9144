"""Stores and reads the bytes of messages: small bodies in the row, large ones as blobs."""

from __future__ import annotations

import errno
import hashlib
import hmac
import io
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from engine.blobs import store, threads
from engine.blobs.interface import Kind
from engine.encryption import sealed_blobs, stream
from engine.mail.mime.byte_source import PIECE, ByteSource, FileBytes
from engine.mail.reading import attachments
from engine.storage import content_keys
from engine.storage.content_keys import Holding
from engine.storage.models import Content

# A body up to this many octets is stored in the database row.
INLINE_LIMIT = 64 * 1024

# Octets of a message up to which `body_source` reads its body into memory.
MEMORY_LIMIT = 1024 * 1024

HEADER, BODY = b"header", b"body"


@dataclass(frozen=True, slots=True)
class KeptContent:
    """A message whose body is safe on disk, or small enough to be inserted with the row.

    `body` is None where `blob_key` names a blob. `size` is in octets, header and body;
    `body_digest` is the body's SHA-256 in hexadecimal, keyed where it is encrypted.
    `header` is readable; `stored_header`, `body` and the blob are encrypted under `key`,
    unless that is empty. `has_attachments` is false for what is no message.
    """

    header: bytes
    body: bytes | None
    blob_key: str
    size: int
    body_digest: str
    stored_header: bytes
    key: bytes = field(default=b"", repr=False)
    has_attachments: bool = False

    @property
    def format(self) -> int:
        """The format of the row."""
        return Content.ENCRYPTED if self.key else Content.PLAIN


def new_key() -> bytes:
    """Returns a key for new content; empty where POSTERN_ENCRYPTION is off."""
    return stream.new_key() if settings.POSTERN.encryption else b""


def keep(
    header: bytes, body: bytes, *, has_attachments: bool | None = None
) -> KeptContent:
    """Stores a message that is in memory. `header` includes the empty line at its end.

    Looks for attachments, unless the caller has.
    """
    if has_attachments is None:
        has_attachments = attachments.has_attachments(header, body)
    kept = _keep(header, body)
    return replace(kept, has_attachments=has_attachments)


def _keep(header: bytes, body: bytes) -> KeptContent:
    digest = hashlib.sha256(body).hexdigest()
    size = len(header) + len(body)
    if len(body) <= INLINE_LIMIT:
        return inline(header, body, size, digest)
    key = new_key()
    stored = stream.encrypt(key, body, purpose=BODY) if key else body
    return _kept(header, None, store.keep(Kind.BODY, stored), size, digest, key)


def inline(header: bytes, body: bytes, size: int, digest: str) -> KeptContent:
    """Returns a message whose body goes into the row. `digest` is the body's SHA-256."""
    key = new_key()
    if key:
        body = stream.encrypt(key, body, purpose=BODY)
    return _kept(header, body, "", size, digest, key)


def adopted(header: bytes, spooled: Path, size: int, digest: str) -> KeptContent:
    """Makes a complete spool file, which it takes over, the blob of a message's body.

    `digest` is the file's SHA-256. Flushes the file, or encrypts it into another.
    """
    key = new_key()
    if key:
        blob_key = sealed_blobs.encrypt_spooled(Kind.BODY, spooled, key, purpose=BODY)
    else:
        blob_key = store.adopt(Kind.BODY, spooled, digest=digest)
    return _kept(header, None, blob_key, size, digest, key)


def _kept(
    header: bytes,
    body: bytes | None,
    blob_key: str,
    size: int,
    digest: str,
    key: bytes,
) -> KeptContent:
    stored = header
    if key:
        stored = stream.encrypt(key, header, purpose=HEADER)
        # Of the readable body, so that it needs a key: a digest would confirm a guess.
        digest = hmac.digest(key, digest.encode(), "sha256").hex()
    return KeptContent(header, body, blob_key, size, digest, stored, key)


def row(kept: KeptContent) -> Content:
    """Returns its row, unsaved."""
    return Content(
        format=kept.format,
        size=kept.size,
        body_digest=kept.body_digest,
        header=kept.stored_header,
        body=kept.body,
        blob_key=kept.blob_key,
        has_attachments=kept.has_attachments,
    )


def save(kept: KeptContent, *, holder: int) -> Content:
    """Inserts its row, and its key for the organisation that holds it.

    Raises MasterKeyUnavailableError.
    """
    saved = row(kept)
    saved.save(force_insert=True)
    if kept.key:
        content_keys.add({(saved.pk, holder): kept.key})
        content_keys.remember(saved, kept.key, holder=holder)
    return saved


def with_header(holding: Holding, new: bytes) -> KeptContent:
    """Returns the same body with another header; a blob is shared, not copied."""
    content = holding.content
    size = content.size - len(header(holding)) + len(new)
    key = content_keys.key_of(holding)
    return KeptContent(
        new,
        None if content.body is None else bytes(content.body),
        content.blob_key,
        size,
        content.body_digest,
        stream.encrypt(key, new, purpose=HEADER) if key else new,
        key,
        has_attachments(holding),
    )


def has_attachments(holding: Holding) -> bool:
    """Returns whether a message has attachments.

    Reads one that an earlier version accepted, and then raises as `open_body` does.
    """
    decided = holding.content.has_attachments
    if decided is not None:
        return decided
    return attachments.has_attachments(header(holding), body_source(holding))


def header(holding: Holding) -> bytes:
    """Returns the header, with the empty line at its end. Raises as `open_body` does."""
    key = content_keys.key_of(holding)
    stored = bytes(holding.content.header)
    return stream.decrypt(key, stored, purpose=HEADER) if key else stored


def open_body(holding: Holding) -> BinaryIO:
    """Opens the body for reading.

    Raises FileNotFoundError where its blob is missing, and BlobStoreError. Where it is
    encrypted: NoKeyError, MasterKeyUnavailableError, and TamperedError, which reading may
    raise too.
    """
    content = holding.content
    key = content_keys.key_of(holding)
    if not content.blob_key:
        body = bytes(content.body or b"")
        return io.BytesIO(stream.decrypt(key, body, purpose=BODY) if key else body)
    if not key:
        return store.open_blob(Kind.BODY, content.blob_key)
    return sealed_blobs.decrypted(Kind.BODY, content.blob_key, key, purpose=BODY)


async def open_in_thread(holding: Holding) -> BinaryIO:
    """Opens the body as `open_body` does, and does not block the event loop.

    Read the header first, which looks the content's key up in the database.
    """
    if holding.content.blob_key:
        return await threads.run(open_body, holding)
    return open_body(holding)


def body_source(holding: Holding) -> ByteSource:
    """Opens the body for reading piece by piece: a large one is never in memory.

    An encrypted one, or one of another host, is copied to a file without a name, and read
    into memory where the disk is full. Raises as `open_body` does.
    """
    with open_body(holding) as body:
        if holding.content.size <= MEMORY_LIMIT:
            return body.read()
        if isinstance(body, io.BufferedReader) and isinstance(body.raw, io.FileIO):
            return FileBytes(body)
        try:
            return _copied(body)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    with open_body(holding) as body:
        return body.read()


def _copied(body: BinaryIO) -> FileBytes:
    with tempfile.TemporaryFile(dir=store.spool_folder()) as file:
        shutil.copyfileobj(body, file, PIECE)
        file.flush()
        return FileBytes(file)


def read(holding: Holding) -> bytes:
    """Reads the whole message. Raises as `open_body` does."""
    with open_body(holding) as body:
        return header(holding) + body.read()
