"""What a reader sees of a message: texts, and files with their names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser

_NOT_SEEN = {"script", "style", "head", "title", "template"}
_INVISIBLE = re.compile(r"[\s>\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]+")


@dataclass(slots=True)
class Observed:
    """Texts and files found through one way of reading.

    `digests` leads from that of a file to the names that it was offered under.
    """

    texts: list[str] = field(default_factory=list)
    digests: dict[str, set[str]] = field(default_factory=dict)
    pages: int = 0
    slowest: float = 0.0

    def add_file(self, data: bytes, name: str) -> None:
        for digest in {digest_of(data), digest_of(with_line_feeds(data))}:
            self.digests.setdefault(digest, set()).add(
                unicodedata.normalize("NFC", name)
            )

    def add_text(self, text: str) -> None:
        self.texts.append(essence(text))


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_line_feeds(data: bytes) -> bytes:
    """Returns octets as a parser that works line by line gives them."""
    return data.replace(b"\r\n", b"\n").rstrip(b"\n")


def essence(text: str) -> str:
    """Returns a text without spaces, line ends and marks of quotation.

    Lines are joined and quotations are indented on a page.
    """
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _NOT_SEEN

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _NOT_SEEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def words_of(html: str) -> str:
    """Returns the text that a browser shows of HTML."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return "".join(parser.words)
