"""Encodes a message for the wire after DATA: dot-stuffing and clean line ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

END_OF_DATA = b".\r\n"  # RFC 5321 §4.1.1.4, after a line's end

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def on_the_wire(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Dot-stuffs chunk by chunk (RFC 5321 §4.5.2) and appends the end of data.

    The output has no bare CR or LF, whatever the input (§2.3.8), so that no server after
    us sees the end of data elsewhere (SMTP smuggling). Chunks may break anywhere.
    """
    starts_line = True
    for chunk in with_whole_line_ends(chunks):
        yield _stuffed(chunk, starts_line)
        starts_line = chunk.endswith(b"\r\n")
    yield END_OF_DATA if starts_line else b"\r\n" + END_OF_DATA


def with_whole_line_ends(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the octets with CR LF for each line end; what a signature covers.

    None of the chunks is empty or ends between CR and LF.
    """
    kept_back = b""
    for chunk in chunks:
        chunk = kept_back + chunk
        # A CR at the end may belong to a LF at the start of the next chunk.
        kept_back = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - len(kept_back)]
        if chunk:
            yield _with_whole_line_ends(chunk)
    if kept_back:
        yield b"\r\n"


def _stuffed(chunk: bytes, starts_line: bool) -> bytes:
    stuffed = chunk.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if starts_line and chunk.startswith(b".") else stuffed


def _with_whole_line_ends(chunk: bytes) -> bytes:
    # Counting runs at the speed of memory; the slow search is for malformed chunks only.
    whole = chunk.count(b"\r\n")
    if chunk.count(b"\r") == whole == chunk.count(b"\n"):
        return chunk
    return _BARE.sub(b"\r\n", chunk)
