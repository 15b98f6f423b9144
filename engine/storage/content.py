"""Stores and reads the bytes of messages: small bodies in the row, large ones as blobs."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import BinaryIO

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.storage.models import Content

# A body up to this many octets is stored in the database row.
INLINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeptContent:
    """A message whose body is safe on disk, or small enough to be inserted with the row.

    `body` is None where `blob_key` names a blob. `size` is in octets, header and body;
    `body_digest` is the body's SHA-256 in hexadecimal.
    """

    header: bytes
    body: bytes | None
    blob_key: str
    size: int
    body_digest: str


def keep(header: bytes, body: bytes) -> KeptContent:
    """Stores a message that is in memory. `header` includes the empty line at its end."""
    digest = hashlib.sha256(body).hexdigest()
    size = len(header) + len(body)
    if len(body) <= INLINE_LIMIT:
        return KeptContent(header, body, "", size, digest)
    return KeptContent(header, None, store.keep(Kind.BODY, body), size, digest)


def row(kept: KeptContent) -> Content:
    """Returns its row, unsaved."""
    return Content(
        size=kept.size,
        body_digest=kept.body_digest,
        header=kept.header,
        body=kept.body,
        blob_key=kept.blob_key,
    )


def with_header(content: Content, header: bytes) -> KeptContent:
    """Returns the same body with another header; a blob is shared, not copied."""
    body = None if content.body is None else bytes(content.body)
    size = content.size - len(bytes(content.header)) + len(header)
    return KeptContent(header, body, content.blob_key, size, content.body_digest)


def open_body(content: Content) -> BinaryIO:
    """Opens the body for reading. Raises FileNotFoundError where its blob is missing."""
    if content.blob_key:
        return store.open_blob(Kind.BODY, content.blob_key)
    return io.BytesIO(bytes(content.body or b""))


def read(content: Content) -> bytes:
    """Reads the whole message. Raises FileNotFoundError where its blob is missing."""
    with open_body(content) as body:
        return bytes(content.header) + body.read()
