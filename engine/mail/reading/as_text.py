"""The words of a message as plain text: for replies, print, search, the API and tickets."""

from __future__ import annotations

from engine.mail.mime import charset, uuencoded
from engine.mail.mime.parts import Part
from engine.mail.mime.uuencoded import TextPiece
from engine.mail.reading.flowed import unflow
from engine.mail.reading.html_text import html_to_text
from engine.mail.reading.items import Item, Kind, Reading


def as_text(reading: Reading) -> str:
    """Returns every text of a message, in order, with an empty line between two.

    Of alternatives it takes the sender's own plain text, and lays out HTML only where
    there is none.
    """
    texts: list[str] = []
    standing: set[str] = set()
    for item in reading.words:
        if any(not standing.isdisjoint(paths) for paths in item.covered_by):
            continue
        plain = plain_form(item)
        if plain is not None:
            standing.add(plain.part.path)
        texts.append(_text(item, plain).strip("\n"))
    return "\n\n".join(text for text in texts if text.strip())


def text_of(item: Item) -> str:
    """Returns the text of one item: its own, of its plain alternative, or of its HTML."""
    return _text(item, plain_form(item))


def _text(item: Item, plain: Item | None) -> str:
    if item.kind is Kind.HTML and plain is None:
        return html_to_text(text_in(item.part))
    return plain_text(plain or item)


def plain_form(item: Item) -> Item | None:
    """Returns the plain text that its sender wrote beside HTML; None where it is blank.

    Another type of text, such as text/watch-html, stands for it only without text/plain.
    """
    if item.kind is not Kind.HTML:
        return None
    texts = [
        other
        for other in item.alternatives
        if other.kind is Kind.TEXT and not other.is_partial
    ]
    texts.sort(key=lambda other: other.part.content_type != "text/plain")
    return next((other for other in texts if text_in(other.part).strip()), None)


def plain_text(item: Item) -> str:
    """Returns the text of a text item, its flowed lines joined."""
    text = _without_files(item.part) if item.holds_files else text_in(item.part)
    return unflow(text, delsp=item.deletes_space) if item.is_flowed else text


def text_in(part: Part) -> str:
    """Returns the text of a part as its sender wrote it, with LF for each line end."""
    return _clean(part.text())


def _without_files(part: Part) -> str:
    data = part.data()
    pieces = (
        data[piece.start : piece.end]
        for piece in uuencoded.split(data)
        if isinstance(piece, TextPiece)
    )
    return _clean(charset.decode(b"".join(pieces), part.charset))


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "")
