"""The words of a message as plain text: for replies, print, search, the API and tickets."""

from __future__ import annotations

from engine.mail.mime import html_text
from engine.mail.mime.parts import Part
from engine.mail.reading.items import Item, Kind, Reading


def as_text(reading: Reading) -> str:
    """Returns every text of a message, in order, with an empty line between two.

    Of alternatives it takes the sender's own plain text, and lays out HTML only where
    there is none.
    """
    texts = (text_of(item).strip("\n") for item in reading.words)
    return "\n\n".join(text for text in texts if text.strip())


def text_of(item: Item) -> str:
    """Returns the text of one item: its own, of its plain alternative, or of its HTML."""
    if item.kind is Kind.HTML:
        plain = plain_form(item)
        return (
            plain_text(plain) if plain else html_text.html_to_text(text_in(item.part))
        )
    return plain_text(item)


def plain_form(item: Item) -> Item | None:
    """Returns the plain text that its sender wrote beside HTML; None where it is blank."""
    for other in item.alternatives:
        if other.kind is Kind.TEXT and text_in(other.part).strip():
            return other
    return None


def plain_text(item: Item) -> str:
    """Returns the text of a text item, its flowed lines joined."""
    return text_in(item.part)


def text_in(part: Part) -> str:
    """Returns the text of a part as its sender wrote it, with LF for each line end."""
    return part.text().replace("\r\n", "\n").replace("\0", "")
