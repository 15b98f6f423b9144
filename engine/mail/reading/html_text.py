"""Turns HTML into plain text that keeps every visible word, its links and its tables.

The layout is ours, on lxml's tree: it must show what is beyond the parser's depth limit,
leave out what the sender hid by visibility or font size, and take linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from secrets import token_hex

from lxml import etree

from engine.mail.reading.character_references import unescape
from engine.mail.reading.html_layout import Layout

# Beyond these the words alone are kept: a tree takes about ten times the memory of its
# markup, and laying out an element up to 8 µs.
LAID_OUT_LENGTH = 1024 * 1024
LAID_OUT_TAGS = 120_000
LAID_OUT_LINES = 50_000  # of markup; each may be a line of preformatted text

# What stands behind these, such as a footer that a mailing list added, is outside the
# tree that the parser returns.
_ENDS = re.compile(r"</(?:body|html)\b[^<>]*>", re.IGNORECASE)
_UNENCODABLE = re.compile("[\ud800-\udfff\0]")

_UNSEEN = re.compile(r"<(?:(!)--|(style|script|title|template)\b)", re.IGNORECASE)
_CLOSINGS = {
    name: re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE)
    for name in ("style", "script", "title", "template")
} | {"!": re.compile("-->")}
_LINE_END = re.compile(
    r"<(?:br|hr|/?(?:p|div|tr|li|ul|ol|dl|dt|dd|h[1-6]|table|blockquote|pre|center))"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[/a-zA-Z!?][^<>]*>")


def html_to_text(markup: str) -> str:
    """Returns what a reader sees of HTML, as plain text; never raises, never cuts.

    Text that the sender hid is left out, unless nothing else is there. HTML that the
    parser would not read to its end gives its words alone, line by line.
    """
    markup = _UNENCODABLE.sub("", markup)
    if (
        len(markup) > LAID_OUT_LENGTH
        or markup.count("<") > LAID_OUT_TAGS
        or markup.count("\n") > LAID_OUT_LINES
    ):
        return words_alone(markup)
    root = _tree(markup)
    if root is None:
        return words_alone(markup)
    return Layout().of(root) or Layout(shows_hidden=True).of(root)


def words_alone(markup: str) -> str:
    """Returns the words of HTML without laying it out: in linear time at any depth."""
    visible = "".join(_visible(markup))
    text = unescape(_TAG.sub("", _CELL.sub(" ", _LINE_END.sub("\n", visible))))
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


def _tree(markup: str) -> etree._Element | None:
    """Returns the tree of HTML; None where it does not hold the end of the markup.

    The parser stops 2,048 levels deep; a quote or comment that is never closed takes in
    all that follows it.
    """
    end = f"x{token_hex(8)}"
    octets = f"{_ENDS.sub('<div></div>', markup)}<{end}>".encode()
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or next(root.iter(end), None) is None:
        return None
    return root


def _visible(markup: str) -> Iterator[str]:
    """Yields the markup without comments and elements that are never shown."""
    start, unclosed = 0, set[str]()
    for opening in _UNSEEN.finditer(markup):
        name = (opening[1] or opening[2]).lower()
        if opening.start() < start or name in unclosed:
            continue
        closing = _CLOSINGS[name].search(markup, opening.end())
        if closing is None:
            unclosed.add(name)
            continue
        yield markup[start : opening.start()]
        start = closing.end()
    yield markup[start:]
