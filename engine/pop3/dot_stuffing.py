"""Encodes messages in multi-line replies, where a dot alone ends the reply (RFC 1939 §3)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.pop3.replies import CRLF, END


class DotStuffer:
    """Doubles the dot at the start of each line, however the message is cut into chunks.

    Feed it the status line first. The last two octets are held back, because the next
    line may start at the edge of a chunk.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Takes a chunk and returns the octets that can be sent."""
        stuffed = (self._held + chunk).replace(b"\r\n.", b"\r\n..")
        self._held = stuffed[-2:]
        return stuffed[:-2]

    def finish(self) -> bytes:
        """Returns the rest, with the last line ended, and the closing dot."""
        return self._held + (b"" if self._held == CRLF else CRLF) + END


def first_lines(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yields the first `count` lines of the chunks, for TOP."""
    for chunk in chunks:
        lines = chunk.count(b"\n")
        if lines >= count:
            kept = chunk.split(b"\n", count)[:count]
            yield b"".join(kept_line + b"\n" for kept_line in kept)
            return
        count -= lines
        yield chunk
