"""Reads what S/MIME wraps a message in: cryptographic message syntax (RFC 5652).

BER as well as DER, since programs that write while they sign leave lengths open. No
signature is verified here; only the octets that were signed are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

# Content types by object identifier: RFC 5652 §4 to §8, RFC 5083, RFC 3274
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SMIME = bytes.fromhex("2a864886f70d01091001")
_OBJECT, _OCTETS, _SEQUENCE = 0x06, 0x04, 0x30
_EXPLICIT, _CONSTRUCTED = 0xA0, 0x20
_END = b"\0\0"
_MAX_DEPTH = 16
# Programs that stream write pieces of a kilobyte and more: so many make 100 MB.
MAX_ELEMENTS = 100_000

# S/MIME 4.0 (RFC 8551 §3.2) and the name that was used before it was registered
CONTENT_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))


class Kind(Enum):
    """What the outermost layer is."""

    SIGNED = _PKCS7 + b"\x02"
    ENVELOPED = _PKCS7 + b"\x03"
    SIGNED_AND_ENVELOPED = _PKCS7 + b"\x04"
    ENCRYPTED = _PKCS7 + b"\x06"
    COMPRESSED = _SMIME + b"\x09"
    AUTH_ENVELOPED = _SMIME + b"\x17"


def kind_of(data: bytes) -> Kind | None:
    """What the octets are by their first two elements; None for everything else.

    The first few octets of a file are enough.
    """
    reader = _Reader(data)
    try:
        reader.enter(_SEQUENCE)
        return Kind(reader.take(_OBJECT))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """What a file in this syntax is, and what its signature holds: a MIME entity, in mail.

    `signed` is None where the signature stands apart from the octets, holds certificates
    only, or where this is no signature or a broken one. One that `is_broken` is a signature
    of which nobody can say here what it holds. So many `elements` were read to know it.
    """

    kind: Kind | None
    signed: bytes | None = field(default=None, repr=False)
    is_broken: bool = False
    elements: int = 0


def read(data: bytes, most: int = MAX_ELEMENTS) -> Content:
    """What the octets are and hold, by at most so many elements. Never raises."""
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
    """What a signature holds (RFC 5652 §5.1 and §5.2). Raises ValueError."""
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
    """Reads from front to back. Raises ValueError for what is no BER or is cut off."""

    def __init__(self, data: bytes, most: int = MAX_ELEMENTS) -> None:
        self._data = data
        self._at = 0
        self._most = most
        self.elements = 0

    @property
    def tag(self) -> int:
        """Of the next element; -1 at the end."""
        return self._data[self._at] if self._at < len(self._data) else -1

    def is_at(self, end: int | None) -> bool:
        """Whether the element that ends there, or is open, has nothing more in it."""
        if end is None:
            return self._data.startswith(_END, self._at)
        return self._at >= end

    def enter(self, tag: int) -> int | None:
        """Go inside the next element; where it ends, if it says so."""
        if self.tag != tag:
            raise ValueError("Another element stands here")
        return self._header()

    def take(self, tag: int) -> bytes:
        """The content of the next element, which is not made of others."""
        end = self.enter(tag)
        if end is None:
            raise ValueError("A plain element must say its length")
        return self._to(end)

    def skip(self, depth: int = 0) -> None:
        """Pass over the next element with all that is in it."""
        if depth > _MAX_DEPTH:
            raise ValueError("Elements are too deep in one another")
        end = self._header()
        if end is not None:
            self._to(end)
            return
        while not self._is_at_end():
            self.skip(depth + 1)

    def pieces(self, depth: int = 0) -> list[bytes]:
        """An octet string, whole or in pieces (X.690 §8.7)."""
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
        """Whether the end of an open element stands here, which is passed over."""
        is_end = self.is_at(None)
        self._at += len(_END) if is_end else 0
        return is_end

    def _header(self) -> int | None:
        """Pass over tag and length; where the element ends, or None for an open one."""
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
