"""Extracts the text of HTML, in linear time and without laying it out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

# Characters of markup that are read.
LENGTH_LIMIT = 500_000

_INVISIBLE = re.compile(r"<(style|script|head|title)\b", re.IGNORECASE)
_END = {
    name: re.compile(rf"</{name}\b[^<>]*>?", re.IGNORECASE)
    for name in ("style", "script", "head", "title")
}
_LINE_END = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def html_to_text(markup: str) -> str:
    """Returns the visible text of HTML, line by line, without empty lines."""
    visible = "".join(_visible(markup[:LENGTH_LIMIT]))
    text = html.unescape(_TAG.sub("", _CELL.sub(" ", _LINE_END.sub("\n", visible))))
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


def _visible(markup: str) -> Iterator[str]:
    """Yields the markup without invisible elements; an unclosed one hides the rest."""
    start = 0
    while opening := _INVISIBLE.search(markup, start):
        yield markup[start : opening.start()]
        closing = _END[opening[1].lower()].search(markup, opening.end())
        if closing is None:
            return
        start = closing.end()
    yield markup[start:]
