"""Finds the Content-IDs that HTML refers to (RFC 2392)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from engine.mail.reading.character_references import unescape

# Looked for by its colon: HTML has few, and ten times as many letters that are a "c".
_CID = re.compile(r":(?<=cid:)([^\"'\s>)]{1,1000})", re.IGNORECASE)
# Characters of the longest match, and of HTML that is searched in one call: a call lets
# no other thread run, and thirty megabytes take more than a second.
_LONGEST = len(":") + 1000
_WINDOW = 256 * 1024


def referred_to(text: str) -> list[str]:
    """Returns each Content-ID once: first as the URLs mean them, then as they are written."""
    written = list(_written(unescape(text)))
    return list(dict.fromkeys((*map(unquote, written), *written)))


def _written(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = at + _WINDOW
        for found in _CID.finditer(text, at, end + _LONGEST):
            if found.start() >= end:
                break
            yield found[1]
            at = found.end()
        at = max(at, end)
