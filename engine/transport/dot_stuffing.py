"""The bytes of a message as they go over the wire after DATA."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

END_OF_DATA = b".\r\n"  # RFC 5321 §4.1.1.4, after a line's end

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def on_the_wire(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Dot-stuff chunk by chunk (RFC 5321 §4.5.2) and close with the end of data.

    What goes out has no bare CR or LF whatever came in (§2.3.8), so that nobody after
    us can see another end of data than we do. Chunks may break anywhere.
    """
    kept_back = b""
    starts_line = True
    for chunk in chunks:
        chunk = kept_back + chunk
        # A CR at the edge may belong to a LF that comes next.
        kept_back = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - len(kept_back)]
        if chunk:
            chunk = _with_whole_line_ends(chunk)
            yield _stuffed(chunk, starts_line)
            starts_line = chunk.endswith(b"\r\n")
    ends_line = starts_line and not kept_back
    yield END_OF_DATA if ends_line else b"\r\n" + END_OF_DATA


def _stuffed(chunk: bytes, starts_line: bool) -> bytes:
    stuffed = chunk.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if starts_line and chunk.startswith(b".") else stuffed


def _with_whole_line_ends(chunk: bytes) -> bytes:
    # Counting runs at the speed of memory; the search runs only on what is unfit.
    whole = chunk.count(b"\r\n")
    if chunk.count(b"\r") == whole == chunk.count(b"\n"):
        return chunk
    return _BARE.sub(b"\r\n", chunk)
