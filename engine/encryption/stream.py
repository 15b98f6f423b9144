"""Authenticated encryption in chunks, with AES-256-GCM.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): the nonce of a
chunk is a random prefix, the chunk's number, and whether it is the last, so that chunks
that are changed, exchanged, repeated or missing are detected. A stream is

    1 octet   the format's version, 1
    7 octets  the prefix
    chunks    of CHUNK octets and a tag of 16; the last one shorter, or empty

A key encrypts few streams, so that random prefixes do not repeat. The purpose is
authenticated with each chunk: a header does not open as a body.
"""

from __future__ import annotations

import io
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.encryption.errors import TamperedError
from engine.secrets.key_files import KEY_OCTETS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 64 * 1024
VERSION = b"\x01"
_PREFIX = 7
_TAG = 16
_HEAD = len(VERSION) + _PREFIX


class Writable(Protocol):
    """A file to write to."""

    def write(self, data: bytes, /) -> object:
        """Writes all of it."""


def new_key() -> bytes:
    """Returns a random key."""
    return secrets.token_bytes(KEY_OCTETS)


def encrypt(key: bytes, data: bytes, *, purpose: bytes) -> bytes:
    """Encrypts what is in memory."""
    prefix = os.urandom(_PREFIX)
    if len(data) <= CHUNK:  # nearly every header and small body
        sealed = AESGCM(key).encrypt(_nonce(prefix, 0, True), data, purpose)
        return VERSION + prefix + sealed
    target = io.BytesIO()
    copy(key, io.BytesIO(data), target, purpose=purpose)
    return target.getvalue()


def decrypt(key: bytes, sealed: bytes, *, purpose: bytes) -> bytes:
    """Decrypts what is in memory. Raises TamperedError."""
    return Decrypted(key, io.BytesIO(sealed), purpose=purpose).readall()


def copy(key: bytes, source: BinaryIO, target: Writable, *, purpose: bytes) -> None:
    """Encrypts the rest of one file into another, with two chunks in memory."""
    cipher, prefix = AESGCM(key), os.urandom(_PREFIX)
    target.write(VERSION + prefix)
    number, chunk = 0, _read(source, CHUNK)
    while True:
        following = _read(source, CHUNK) if len(chunk) == CHUNK else b""
        nonce = _nonce(prefix, number, not following)
        target.write(cipher.encrypt(nonce, chunk, purpose))
        if not following:
            return
        number, chunk = number + 1, following


class Decrypted(io.RawIOBase):
    """A stream as a file of what was encrypted, which reads one chunk ahead.

    Closing it closes the stream. Reading raises TamperedError: octets that were returned
    before are genuine, but only the end shows that they are all.
    """

    def __init__(self, key: bytes, sealed: BinaryIO, *, purpose: bytes) -> None:
        super().__init__()
        self._cipher, self._sealed, self._purpose = AESGCM(key), sealed, purpose
        head = _read(self._sealed, _HEAD)
        if len(head) < _HEAD or not head.startswith(VERSION):
            raise TamperedError("This is not an encrypted stream.")
        self._prefix, self._position = head[len(VERSION) :], 0
        self._go_to(0)

    def _go_to(self, number: int) -> None:
        """Starts at a chunk, where the stream already is."""
        self._number, self._plain, self._is_done = number, memoryview(b""), False
        self._ahead = _read(self._sealed, CHUNK + _TAG)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves to a position, from the start or the end; returns the position."""
        if (offset, whence) == (0, io.SEEK_CUR):  # how `tell` asks
            return self._position
        sealed = self._sealed.seek(0, io.SEEK_END) - _HEAD
        count = max(1, -(-sealed // (CHUNK + _TAG)))
        size = sealed - count * _TAG
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: size}
        position = min(max(0, start[whence] + offset), size)
        number = min(position // CHUNK, count - 1)
        self._sealed.seek(_HEAD + number * (CHUNK + _TAG))
        self._go_to(number)
        if skipped := position - number * CHUNK:
            self._next_chunk()
            self._plain = self._plain[skipped:]
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Reads the next octets; 0 at the end. Raises TamperedError."""
        view = memoryview(buffer).cast("B")
        while not self._plain and not self._is_done:
            self._next_chunk()
        count = min(len(view), len(self._plain))
        view[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        self._position += count
        return count

    def readall(self) -> bytes:
        """Reads the rest. Raises TamperedError."""
        pieces = [bytes(self._plain)]
        self._plain = memoryview(b"")
        while not self._is_done:
            self._next_chunk()
            pieces.append(bytes(self._plain))
            self._plain = memoryview(b"")
        self._position += sum(map(len, pieces))
        return pieces[0] + pieces[1] if len(pieces) == 2 else b"".join(pieces)

    def close(self) -> None:
        """Closes the stream too."""
        if not self.closed:
            self._sealed.close()
        super().close()

    def _next_chunk(self) -> None:
        sealed = self._ahead
        is_full = len(sealed) == CHUNK + _TAG
        self._ahead = _read(self._sealed, CHUNK + _TAG) if is_full else b""
        self._is_done = not self._ahead
        nonce = _nonce(self._prefix, self._number, self._is_done)
        try:
            plain = self._cipher.decrypt(nonce, sealed, self._purpose)
        except InvalidTag as error:
            raise TamperedError(
                "The stored bytes were changed, cut or exchanged since they were "
                "encrypted."
            ) from error
        self._plain = memoryview(plain)
        self._number += 1


def _nonce(prefix: bytes, number: int, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if is_last else b"\x00")


def _read(source: BinaryIO, size: int) -> bytes:
    """Reads exactly `size` octets, or less at the end: a raw file may return fewer."""
    data = source.read(size)
    while 0 < len(data) < size:
        more = source.read(size - len(data))
        if not more:
            break
        data += more
    return data
