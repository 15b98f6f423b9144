"""Finds the delimiter lines of a multipart body (RFC 2046 §5.1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from engine.mail.mime.byte_source import ByteSource

# Lines of one message that start like a delimiter, and delimiters of one multipart. No
# program writes more; without a bound, nested multiparts would take quadratic time.
MAX_HITS = 50_000
MAX_DELIMITERS = 1000

_REST_OF_LINE = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)")
# Octets of a line that are examined at first behind a delimiter: SMTP allows 998 in all.
_LINE = 1024


class Region(NamedTuple):
    """A range of octets of a message, not copied out of it."""

    source: ByteSource
    start: int
    end: int

    @classmethod
    def whole(cls, source: ByteSource) -> Region:
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
    source, first, end = region
    delimiter = b"--" + boundary.rstrip(" ").encode("latin-1", "replace")
    regions: list[Region] = []
    start, at, found = -1, first, 0
    while found < MAX_DELIMITERS and not budget.is_spent:
        at = source.find(delimiter, at, end)
        if at < 0:
            break
        budget.left -= 1
        is_at_line_start = at == first or source[at - 1 : at] == b"\n"
        rest = _rest_of_line(region, at + len(delimiter)) if is_at_line_start else None
        if rest is None:
            at += len(b"--")
            continue
        found += 1
        if start >= 0:
            regions.append(_before_line(source, start, at))
        start, is_last = rest
        if is_last:
            return regions
        at = start
    if start >= 0:
        regions.append(Region(source, start, end))
    return regions


def _rest_of_line(region: Region, at: int) -> tuple[int, bool] | None:
    """Returns the start of the next line and whether the delimiter before it closes.

    None where more than blanks stand behind the delimiter.
    """
    next_octets = region.source[at : min(region.end, at + len(b"--\r\n"))]
    if next_octets.startswith(b"\r\n"):
        return at + len(b"\r\n"), False
    if next_octets == b"--\r\n":
        return at + len(next_octets), True
    length = _LINE
    while rest := _REST_OF_LINE.match(region.source[at : min(region.end, at + length)]):
        end = at + rest.end()
        if end == region.end or rest[0].endswith(b"\n"):
            return end, bool(rest[1])
        length *= 2  # only the end of what is examined, and not yet of the line
    return None


def _before_line(source: ByteSource, start: int, end: int) -> Region:
    """Returns the region without its last line end, which belongs to the delimiter."""
    last = source[max(start, end - 2) : end]
    line_end = len(b"\r\n") if last == b"\r\n" else int(last[-1:] in (b"\r", b"\n"))
    return Region(source, start, end - line_end)
