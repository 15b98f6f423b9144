"""The bytes of a message: how they are kept and read again."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.storage import blob_store
from engine.storage.models import Content

# A body up to this many octets stays in the database row.
INLINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeptContent:
    """Bytes that are safe on the disk, or small enough to go with the row."""

    header: bytes
    body: bytes | None
    blob_key: str
    size: int
    body_digest: str


def keep(header: bytes, body: bytes) -> KeptContent:
    """Keep a message that is in memory. `header` ends with the empty line."""
    digest = hashlib.sha256(body).hexdigest()
    size = len(header) + len(body)
    if len(body) <= INLINE_LIMIT:
        return KeptContent(header, body, "", size, digest)
    with tempfile.NamedTemporaryFile(
        dir=blob_store.spool_folder(), delete=False
    ) as file:
        file.write(body)
    return KeptContent(header, None, blob_store.adopt(Path(file.name)), size, digest)


def row(kept: KeptContent) -> Content:
    """The row for it, not saved yet."""
    return Content(
        size=kept.size,
        body_digest=kept.body_digest,
        header=kept.header,
        body=kept.body,
        blob_key=kept.blob_key,
    )


def under(content: Content, header: bytes) -> KeptContent:
    """The same body under another header: the bytes of a blob are not written again."""
    body = None if content.body is None else bytes(content.body)
    size = content.size - len(bytes(content.header)) + len(header)
    return KeptContent(header, body, content.blob_key, size, content.body_digest)


def open_body(content: Content) -> BinaryIO:
    """Open the body for reading, wherever it is kept."""
    if content.blob_key:
        return blob_store.open_blob(content.blob_key)
    return io.BytesIO(bytes(content.body or b""))


def read(content: Content) -> bytes:
    """The whole message."""
    with open_body(content) as body:
        return bytes(content.header) + body.read()
