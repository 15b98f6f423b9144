"""The words of HTML, without laying it out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

# Characters of markup that are looked at.
LENGTH_LIMIT = 500_000

_UNSEEN = re.compile(r"<(style|script|head|title)\b", re.IGNORECASE)
_END = {
    name: re.compile(rf"</{name}\b[^<>]*>?", re.IGNORECASE)
    for name in ("style", "script", "head", "title")
}
_LINE_END = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def words_of(markup: str) -> str:
    """What a reader would see of it, line by line, in time that grows with its size."""
    seen = "".join(_seen(markup[:LENGTH_LIMIT]))
    text = html.unescape(_TAG.sub("", _CELL.sub(" ", _LINE_END.sub("\n", seen))))
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


def _seen(markup: str) -> Iterator[str]:
    """The markup without the elements that nobody is shown; one left open is the last."""
    start = 0
    while opening := _UNSEEN.search(markup, start):
        yield markup[start : opening.start()]
        closing = _END[opening[1].lower()].search(markup, opening.end())
        if closing is None:
            return
        start = closing.end()
    yield markup[start:]
