"""The frames of winmail.dat: its attributes and their properties (MS-OXTNEF §2.1.3).

Every length is checked against the octets there are, and every count is paid for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# Outlook writes about six attributes for a file, and thirty properties.
MAX_ATTRIBUTES = 10_000
MAX_PROPERTIES = 50_000

INTEGER, OBJECT, STRING, UNICODE, BINARY = 0x0003, 0x000D, 0x001E, 0x001F, 0x0102
_VARIABLE = frozenset((OBJECT, STRING, UNICODE, BINARY))
# Octets of each value of the other types, of one alone with its padding.
_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
_SHORT = frozenset((2, 11))
_MULTIPLE = 0x1000
_NAMED = 0x8000  # properties from here on have a name
_ATTRIBUTE_HEADER, _CHECKSUM = 9, 2
_WORD = 4


class MalformedError(ValueError):
    """A length or count is wrong, so that nothing behind it can be found."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute and the range of its value."""

    level: int
    name: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Property:
    """A property, its range, and the range of its first value."""

    name: int
    kind: int
    start: int
    end: int
    first: tuple[int, int]


class Frames:
    """Reads frames of one file, with what may still be spent on all of them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._attributes = MAX_ATTRIBUTES
        self._properties = MAX_PROPERTIES

    def number(self, at: int, end: int, size: int = _WORD) -> int:
        """Returns the number there. Raises MalformedError where it ends behind `end`."""
        if at + size > end:
            raise MalformedError
        return int.from_bytes(self.data[at : at + size], "little")

    def attributes(self, at: int, end: int) -> Iterator[Attribute]:
        """Yields each attribute. Raises MalformedError, after one that is cut off too."""
        while at < end:
            self._attributes -= 1
            if self._attributes < 0 or at + _ATTRIBUTE_HEADER > end:
                raise MalformedError
            name = self.number(at + 1, end, 2)
            start = at + _ATTRIBUTE_HEADER
            behind = start + self.number(at + 5, end)
            yield Attribute(self.data[at], name, start, min(behind, end))
            if behind > end:
                raise MalformedError
            at = behind + _CHECKSUM

    def properties(self, at: int, end: int) -> Iterator[Property]:
        """Yields the properties of an attribute that have no name of their own.

        Raises MalformedError.
        """
        count = self.number(at, end)
        at += _WORD
        for _ in range(count):
            self._spend()
            start, kind = at, self.number(at, end, 2)
            name = self.number(at + 2, end, 2)
            at += _WORD
            is_named = name >= _NAMED
            if is_named:
                at = self._behind_name(at, end)
            at, first = self._values(kind, at, end)
            if not is_named:
                yield Property(name, kind, start, at, first)

    def _spend(self) -> None:
        self._properties -= 1
        if self._properties < 0:
            raise MalformedError

    def _behind_name(self, at: int, end: int) -> int:
        """Skips a name: a class, and a number or a text in it."""
        at += 16
        is_text = self.number(at, end)
        length = self.number(at + _WORD, end) if is_text else 0
        return at + 2 * _WORD + _padded(length)

    def _values(self, kind: int, at: int, end: int) -> tuple[int, tuple[int, int]]:
        """Returns where the values of a property end, and the range of the first."""
        is_multiple, kind = bool(kind & _MULTIPLE), kind & ~_MULTIPLE
        count = 1
        if is_multiple or kind in _VARIABLE:
            count = self.number(at, end)
            at += _WORD
        if kind in _VARIABLE:
            behind, first = self._variable(count, at, end)
        elif size := _SIZES.get(kind, 0):
            size = 2 if is_multiple and kind in _SHORT else size
            behind, first = at + _padded(count * size), (at, at + size)
        else:
            raise MalformedError
        # The last one may lack its padding.
        if behind >= end + _WORD or first[1] > end:
            raise MalformedError
        return min(behind, end), first

    def _variable(self, count: int, at: int, end: int) -> tuple[int, tuple[int, int]]:
        first = at, at
        for number in range(count):
            self._spend()
            length = self.number(at, end)
            at += _WORD
            if not number:
                first = at, at + length
            at += _padded(length)
        return at, first


def _padded(length: int) -> int:
    return -(-length // _WORD) * _WORD
