"""Extracts the words of a message for the search index, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.html_text import html_to_text
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import Part
from engine.storage import content
from engine.storage.models import Message
from engine.storage.search.tokenizer import MAX_WORDS, fold

# Octets of one text part, and of the body of one message, that are indexed.
PART_LIMIT = 256 * 1024
BODY_LIMIT = 32 * 1024 * 1024


class Words(StrEnum):
    """The fields that can be searched on their own."""

    SUBJECT = "subject"
    SENDER = "sender"
    RECIPIENTS = "recipients"
    COPIES = "copies"
    FILES = "files"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Document:
    """The words of one message for the index."""

    message_id: int
    mailbox_id: int
    words: dict[Words, list[str]]


def document_of(message: Message) -> Document:
    """Extracts the words of a message, whose content must be loaded.

    Never raises for malformed content.
    """
    header = HeaderBlock.salvage(content.header(message))
    texts, files = _body(message)
    found = {
        Words.SUBJECT: header.text("Subject"),
        Words.SENDER: _fields(header, "From", "Sender"),
        Words.RECIPIENTS: _fields(header, "To"),
        Words.COPIES: _fields(header, "Cc", "Bcc"),
        Words.FILES: files,
        Words.TEXT: texts,
    }
    words = {name: fold(text) for name, text in found.items()}
    return Document(message.pk, message.mailbox_id, words)


def _fields(header: HeaderBlock, *names: str) -> str:
    return " ".join(field.text for name in names for field in header.all(name))


def _body(message: Message) -> tuple[str, str]:
    """Returns the text of a message, and the names of its files."""
    if message.content.size > BODY_LIMIT:
        return "", ""
    try:
        header, body = split(content.read(message))
    except FileNotFoundError:  # the blobs were not restored with the database
        return "", ""
    parts = list(walk(header, body))
    files = " ".join(part.filename for part in parts if part.filename)
    return " ".join(_texts(parts)), files


def _texts(parts: list[Part]) -> Iterator[str]:
    """Yields the plain texts; the HTML only where there is no plain text."""
    plain = [p for p in parts if p.content_type == "text/plain"]
    chosen = plain or [p for p in parts if p.content_type == "text/html"]
    # About eight letters a word: more text than this would be cut by the tokenizer anyway.
    room = MAX_WORDS * 8
    for part in chosen:
        if room <= 0 or part.region.end - part.region.start > PART_LIMIT:
            continue
        text = part.text() if part in plain else html_to_text(part.text())
        yield text[:room]
        room -= len(text)
