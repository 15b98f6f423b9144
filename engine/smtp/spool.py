"""Spools a message while it arrives: in memory when small, else in a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from engine.blobs import store
from engine.mail.header import MAX_HEADER_OCTETS
from engine.mail.mime.byte_source import ByteSource, FileBytes
from engine.smtp.sender_authentication import SignedBody
from engine.storage import content
from engine.storage.content import INLINE_LIMIT, KeptContent


class Spool:
    """Takes a message's octets, separates header and body, and hashes them on the way.

    `size` counts octets. `header_too_large` is set instead of raising: the rest of the
    message has to be read before the client can be refused.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._has_header = False
        self._body = bytearray()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._body_digest = hashlib.sha256()
        self.header_too_large = False
        self.size = 0
        self._body_size = 0
        self.signed = SignedBody(b"")

    @property
    def header(self) -> bytes:
        """The header as received, with its closing empty line."""
        return bytes(self._header)

    @property
    def is_small(self) -> bool:
        """Whether all of the message is in memory, and goes into the database row."""
        return self._file is None

    def write(self, data: bytes) -> None:
        """Takes the next octets. Raises OSError where the disk is full."""
        self.size += len(data)
        if self._has_header:
            self._write_body(data)
        elif not self.header_too_large:
            self._write_header(data)

    def _write_header(self, data: bytes) -> None:
        # The empty line may be cut by the chunks: search from three octets before.
        start = max(0, len(self._header) - 3)
        self._header += data
        end = self._header.find(b"\r\n\r\n", start)
        if self._header.startswith(b"\r\n"):
            end = -2
        elif end < 0:
            self.header_too_large = len(self._header) > MAX_HEADER_OCTETS
            return
        rest = bytes(self._header[end + 4 :])
        del self._header[end + 4 :]
        self._has_header = True
        self.signed = SignedBody(self.header)
        self._write_body(rest)

    def _write_body(self, data: bytes) -> None:
        self._body_digest.update(data)
        self.signed.update(data)
        self._body_size += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        self._body += data
        if len(self._body) > INLINE_LIMIT:
            # On the file system of the blobs, so that keep() can rename the file.
            descriptor, name = tempfile.mkstemp(dir=store.spool_folder())
            self._path = Path(name)
            self._file = os.fdopen(descriptor, "wb")
            self._file.write(self._body)
            self._body.clear()

    def finish(self) -> None:
        """Closes the message: one without an empty line is all header."""
        if not self._has_header:
            self._header += b"\r\n"
            self.signed = SignedBody(self.header)

    def fingerprint(self, *parts: str) -> str:
        """Returns SHA-256, in hexadecimal, over these parts and the whole message."""
        digest = hashlib.sha256("\n".join(parts).encode(errors="surrogateescape"))
        digest.update(b"\n" + bytes(self._header) + self._body_digest.digest())
        return digest.hexdigest()

    def keep(self, header: bytes) -> KeptContent:
        """Makes the body durable, under the given header.

        Flushes the file to the disk: call it in a thread unless the spool is small.
        """
        digest = self._body_digest.hexdigest()
        size = len(header) + self._body_size
        if self._file is None or self._path is None:
            return content.inline(header, bytes(self._body), size, digest)
        self._file.close()
        kept = content.adopted(header, self._path, size, digest)
        self._path = None
        return kept

    def read(self) -> bytes:
        """Returns the whole message as received, in memory."""
        return self.header + self.read_body()

    def read_body(self) -> bytes:
        """Returns the body as received, in memory, however large."""
        if self._path is None or self._file is None:
            return bytes(self._body)
        self._file.flush()
        return self._path.read_bytes()

    def body_source(self) -> ByteSource:
        """Returns the body as received, for reading piece by piece."""
        if self._path is None or self._file is None:
            return bytes(self._body)
        self._file.flush()
        with self._path.open("rb") as file:
            return FileBytes(file)

    def discard(self) -> None:
        """Removes the file, unless keep() has taken it over."""
        if self._file is not None:
            # Closing writes out what is buffered, and so fails where the disk is full.
            with contextlib.suppress(OSError):
                self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
