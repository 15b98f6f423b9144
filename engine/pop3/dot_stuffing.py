"""How a message travels in a multi-line answer: RFC 1939 §3."""

from __future__ import annotations

from collections.abc import Iterator

from engine.pop3.commands import CRLF, END


class DotStuffer:
    """Doubles the dot at the start of each line, across any division into chunks.

    Fed with the status line first. The last two octets are held back, because a line
    may start at the edge of a chunk.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        stuffed = (self._held + chunk).replace(b"\r\n.", b"\r\n..")
        self._held = stuffed[-2:]
        return stuffed[:-2]

    def finish(self) -> bytes:
        """The rest, the end of the last line where it has none, and the end."""
        return self._held + (b"" if self._held == CRLF else CRLF) + END


def first_lines(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """As much of the chunks as holds that many lines."""
    for chunk in chunks:
        lines = chunk.count(b"\n")
        if lines >= count:
            kept = chunk.split(b"\n", count)[:count]
            yield b"".join(kept_line + b"\n" for kept_line in kept)
            return
        count -= lines
        yield chunk
