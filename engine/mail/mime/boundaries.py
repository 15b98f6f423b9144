"""Finds the delimiter lines of a multipart body (RFC 2046 §5.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Lines of one message that start like a delimiter, and delimiters of one multipart. No
# program writes more; without a bound, nested multiparts would take quadratic time.
MAX_HITS = 50_000
MAX_DELIMITERS = 1000

_REST_OF_LINE = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)")
_CR, _LF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Region:
    """A range of octets of a message, not copied out of it."""

    source: bytes
    start: int
    end: int

    @classmethod
    def whole(cls, source: bytes) -> Region:
        """Returns the region that is all of the source."""
        return cls(source, 0, len(source))

    def octets(self) -> bytes:
        """Returns a copy of the octets."""
        return self.source[self.start : self.end]


@dataclass(slots=True)
class Budget:
    """The number of hits that may still be examined in a message."""

    left: int = MAX_HITS

    @property
    def is_spent(self) -> bool:
        """Whether the message has more hits than are examined."""
        return self.left <= 0


def between(region: Region, boundary: str, budget: Budget) -> list[Region]:
    """Returns the regions between delimiter lines; the last one may be missing its end."""
    regions: list[Region] = []
    start = -1
    for line_start, line_end, is_last in _delimiters(region, boundary, budget):
        if start >= 0:
            regions.append(_before_line(region.source, start, line_start))
        start = line_end
        if is_last:
            return regions
    if start >= 0:
        regions.append(Region(region.source, start, region.end))
    return regions


def _delimiters(
    region: Region, boundary: str, budget: Budget
) -> Iterator[tuple[int, int, bool]]:
    """Yields for each delimiter: its start, the start of the next line, if it closes."""
    source = region.source
    delimiter = b"--" + boundary.rstrip(" ").encode("latin-1", "replace")
    position, found = region.start, 0
    while found < MAX_DELIMITERS and not budget.is_spent:
        position = source.find(delimiter, position, region.end)
        if position < 0:
            return
        budget.left -= 1
        rest = _REST_OF_LINE.match(source, position + len(delimiter), region.end)
        if rest and (position == region.start or source[position - 1] == _LF):
            found += 1
            yield position, rest.end(), bool(rest[1])
            position = rest.end()
        else:
            position += len(b"--")


def _before_line(source: bytes, start: int, end: int) -> Region:
    """Returns the region without its last line end, which belongs to the delimiter."""
    if end > start and source[end - 1] == _LF:
        end -= 1
    if end > start and source[end - 1] == _CR:
        end -= 1
    return Region(source, start, end)
