"""Recognises text that lost its letters on the way through other programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Encodings that were not undone: quoted-printable, HTML character references and the
# encoded words of message headers (RFC 2047).
_UNDECODED = re.compile(
    r"(?:=[0-9A-F]{2}){2}|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});|=\?[\w-]{1,40}\?[bq]\?",
    re.IGNORECASE,
)
# A question mark between letters is what some programs write for a letter unknown to them.
_LOST = re.compile(r"[^\W\d_]\?[^\W\d_]")
_QUOTED = 40


def doubts(text: str) -> Iterator[str]:
    """Yields a sentence for each kind of damage that the text seems to have."""
    if text.isascii():
        words = text.split() if "?" in text else []
        if any(_LOST.search(word) and "/" not in word for word in words):
            yield f"A letter may be lost: “{_excerpt(text)}”"
    else:
        if "\ufffd" in text:
            yield f"A letter cannot be read: “{_excerpt(text)}”"
        repaired = " ".join(map(_repaired, text.split()))
        if repaired != " ".join(text.split()):
            yield f"“{_excerpt(text)}” may have been “{_excerpt(repaired)}”"
    if _UNDECODED.search(text):
        yield f"Part of it is not decoded: “{_excerpt(text)}”"


def _repaired(word: str) -> str:
    """Returns a word that was read as Windows-1252 but is UTF-8 as it was written."""
    if word.isascii():
        return word
    try:
        return word.encode("cp1252").decode()
    except UnicodeError:
        return word


def _excerpt(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
