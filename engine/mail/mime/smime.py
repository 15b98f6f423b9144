"""Finds the kind and the signed content of S/MIME files (RFC 8551, RFC 5652).

It reads BER as well as DER, because programs that sign while they write leave lengths
open. No signature is verified; only the octets that were signed are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

# Content types by object identifier: RFC 5652 §4 to §8, RFC 5083, RFC 3274.
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SMIME = bytes.fromhex("2a864886f70d01091001")
_OBJECT, _OCTETS, _SEQUENCE = 0x06, 0x04, 0x30
_EXPLICIT, _CONSTRUCTED = 0xA0, 0x20
_END = b"\0\0"
_MAX_DEPTH = 16
# Programs that stream write pieces of a kilobyte or more: this many make 100 MB.
MAX_ELEMENTS = 100_000

# S/MIME 4.0 (RFC 8551 §3.2), and the name that was used before it was registered.
CONTENT_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))


class Kind(Enum):
    """The kind of the outermost layer."""

    SIGNED = _PKCS7 + b"\x02"
    ENVELOPED = _PKCS7 + b"\x03"
    SIGNED_AND_ENVELOPED = _PKCS7 + b"\x04"
    ENCRYPTED = _PKCS7 + b"\x06"
    COMPRESSED = _SMIME + b"\x09"
    AUTH_ENVELOPED = _SMIME + b"\x17"


def kind_of(data: bytes) -> Kind | None:
    """Returns the kind of a file by its first two elements; None for all other files.

    The first few octets of the file are enough.
    """
    reader = _Reader(data)
    try:
        reader.enter(_SEQUENCE)
        return Kind(reader.take(_OBJECT))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """The kind of a file and its signed content: a MIME entity, in mail.

    `signed` is None where the signature is detached, holds certificates only, or where
    the file is not a signature or a malformed one (`is_broken`). `elements` counts what
    was read, for the caller's budget.
    """

    kind: Kind | None
    signed: bytes | None = field(default=None, repr=False)
    is_broken: bool = False
    elements: int = 0


def read(data: bytes, most: int = MAX_ELEMENTS) -> Content:
    """Returns the kind and content of a file, reading at most `most` elements.

    Never raises.
    """
    kind = kind_of(data)
    if kind is not Kind.SIGNED:
        return Content(kind)
    reader = _Reader(data, most)
    try:
        signed = _signed(reader)
    except ValueError:
        return Content(kind, is_broken=True, elements=reader.elements)
    return Content(kind, signed, elements=reader.elements)


def _signed(reader: _Reader) -> bytes | None:
    """Returns the content of a signature (RFC 5652 §5.1 and §5.2). Raises ValueError."""
    reader.enter(_SEQUENCE)
    reader.take(_OBJECT)
    reader.enter(_EXPLICIT)
    reader.enter(_SEQUENCE)
    reader.skip()  # version
    reader.skip()  # digest algorithms
    end = reader.enter(_SEQUENCE)
    reader.take(_OBJECT)
    if reader.is_at(end):
        return None
    reader.enter(_EXPLICIT)
    return b"".join(reader.pieces())


class _Reader:
    """Reads BER elements in order. Raises ValueError for malformed or truncated ones."""

    def __init__(self, data: bytes, most: int = MAX_ELEMENTS) -> None:
        self._data = data
        self._at = 0
        self._most = most
        self.elements = 0

    @property
    def tag(self) -> int:
        """The tag of the next element; -1 at the end."""
        return self._data[self._at] if self._at < len(self._data) else -1

    def is_at(self, end: int | None) -> bool:
        """Returns whether the element that ends there (None: is open) has no more in it."""
        if end is None:
            return self._data.startswith(_END, self._at)
        return self._at >= end

    def enter(self, tag: int) -> int | None:
        """Enters the next element; returns its end, None for an open one."""
        if self.tag != tag:
            raise ValueError("Another element stands here")
        return self._header()

    def take(self, tag: int) -> bytes:
        """Returns the content of the next element, a primitive one."""
        end = self.enter(tag)
        if end is None:
            raise ValueError("A plain element must say its length")
        return self._to(end)

    def skip(self, depth: int = 0) -> None:
        """Skips the next element with everything in it."""
        if depth > _MAX_DEPTH:
            raise ValueError("Elements are too deep in one another")
        end = self._header()
        if end is not None:
            self._to(end)
            return
        while not self._is_at_end():
            self.skip(depth + 1)

    def pieces(self, depth: int = 0) -> list[bytes]:
        """Returns an octet string, whole or in pieces (X.690 §8.7)."""
        if self.tag == _OCTETS:
            return [self.take(_OCTETS)]
        if depth > _MAX_DEPTH:
            raise ValueError("Elements are too deep in one another")
        end = self.enter(_OCTETS | _CONSTRUCTED)
        found: list[bytes] = []
        while self._at < end if end is not None else not self._is_at_end():
            found += self.pieces(depth + 1)
        return found

    def _is_at_end(self) -> bool:
        """Returns whether an open element ends here, and if so skips its end."""
        is_end = self.is_at(None)
        self._at += len(_END) if is_end else 0
        return is_end

    def _header(self) -> int | None:
        """Skips tag and length; returns the element's end, or None for an open one."""
        if self.elements >= self._most:
            raise ValueError("There are too many elements")
        self.elements += 1
        first = self._octet()
        if first & 0x1F == 0x1F:
            raise ValueError("No tag here takes several octets")
        length = self._octet()
        if length == 0x80:
            return None
        if length > 0x80:
            size = length & 0x7F
            octets = self._data[self._at : self._at + size]
            if size > 8 or len(octets) != size:
                raise ValueError("The length is no length")
            self._at += size
            length = int.from_bytes(octets, "big")
        return self._at + length

    def _to(self, end: int) -> bytes:
        if end > len(self._data):
            raise ValueError("An element is cut off")
        start, self._at = self._at, end
        return self._data[start:end]

    def _octet(self) -> int:
        if self._at >= len(self._data):
            raise ValueError("The octets end inside an element")
        self._at += 1
        return self._data[self._at - 1]
