"""Reads the texts of a message for the search index, field by field, bit by bit."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from engine.folding.words import index_words
from engine.mail.header import HeaderBlock
from engine.mail.mime import charset, charset_evidence, smime, transfer_encoding
from engine.mail.mime.part_walker import TooManyParts
from engine.mail.mime.parts import Part
from engine.mail.reading import as_text, html_text, reader
from engine.mail.reading.items import Item, Kind, Reading
from engine.storage import content
from engine.storage.models import GapReason, Message
from engine.storage.search.pieces import MAX_PIECES, FieldWords, Words, divide

# Octets of a part, encoded, up to which its text is laid out as a reader sees it; of a
# longer one the words alone are read, about a megabyte at a time.
LAID_OUT = 1024 * 1024
# Seconds that one message may take, well within a job's time limit.
SECONDS = 120.0

_ENCRYPTED = ("enveloped-data", "authenveloped-data")
# What a reader sees of an event (RFC 5545 §3.8), with folded lines joined (§3.1).
_FOLD = re.compile(r"\r?\n[ \t]")
_EVENT = re.compile(
    r"^(?:SUMMARY|DESCRIPTION|LOCATION|COMMENT|CATEGORIES|ORGANIZER|ATTENDEE|CONTACT)"
    r"([;:][^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)


class Document:
    """The words of one message, whose content must be loaded, for the index.

    `gap` says, once the pieces have been read, why they are not all of its words.
    """

    def __init__(self, message: Message) -> None:
        self.message_id = message.pk
        self.mailbox_id = message.mailbox_id
        self.gap: GapReason | None = None
        self._message = message
        self._deadline = time.monotonic() + SECONDS

    def pieces(self) -> Iterator[FieldWords]:
        """Yields the words, a piece at a time. Never raises for malformed content."""
        for number, piece in enumerate(divide(self._texts())):
            if number == MAX_PIECES or time.monotonic() > self._deadline:
                self.gap = GapReason.TOO_LONG
                return
            yield piece

    def _texts(self) -> Iterator[tuple[Words, str]]:
        header = HeaderBlock.salvage(content.header(self._message))
        yield Words.SUBJECT, header.text("Subject")
        yield Words.SENDER, _fields(header, "From", "Sender")
        yield Words.RECIPIENTS, _fields(header, "To")
        yield Words.COPIES, _fields(header, "Cc", "Bcc")
        readings = self._readings()
        # First of all, so that they are found whatever the length of the text.
        for _, reading in readings:
            for item in _every(reading):
                yield from ((Words.FILES, one) for one in _names(item))
        for part, reading in readings:
            if part is not None:
                yield Words.TEXT, _attached_header(part)
            for text in self._text_of(reading):
                yield Words.TEXT, text

    def _readings(self) -> list[tuple[Part | None, Reading]]:
        try:
            header = content.header(self._message)
            body = content.body_source(self._message)
        except FileNotFoundError:  # the blobs were not restored with the database
            self.gap = GapReason.MISSING
            return []
        try:
            return list(reader.read_all(header, body, strict=True))
        except TooManyParts:
            self.gap = GapReason.TOO_MANY_PARTS
            return list(reader.read_all(header, body))

    def _text_of(self, reading: Reading) -> Iterator[str]:
        for item in reading.items:
            if _is_encrypted(item.part):
                self.gap = self.gap or GapReason.ENCRYPTED
            elif item.is_words:
                yield from _words_of(item)
            elif item.kind is Kind.INVITATION:
                yield _event(item.part)
            elif item.kind is Kind.REPORT or item.part.content_type.startswith("text/"):
                yield from _long_or_laid_out(item)


def _fields(header: HeaderBlock, *names: str) -> str:
    return " ".join(field.text for name in names for field in header.all(name))


def _attached_header(part: Part) -> str:
    return _fields(reader.header_of(part), "Subject", "From", "To", "Cc")


def _every(reading: Reading) -> Iterator[Item]:
    for item in reading.items:
        yield item
        yield from item.alternatives


def _names(item: Item) -> Iterator[str]:
    parts = (item.part, *item.pictures)
    yield from filter(None, (item.name, *(part.filename for part in parts)))


def _words_of(item: Item) -> Iterator[str]:
    """Yields the text of an item, and of other forms of it that say something else."""
    said = set[str]()
    if _is_long(item.part):
        yield from _long_or_laid_out(item)
    else:
        text = " ".join(_long_or_laid_out(item))
        yield text
        said = index_words(text) if item.alternatives else said
    for other in item.alternatives:
        if _is_long(other.part):
            yield from _long_or_laid_out(other)
            continue
        text = " ".join(_long_or_laid_out(other))
        if not index_words(text) <= said:
            yield text


def _long_or_laid_out(item: Item) -> Iterator[str]:
    is_html = item.part.content_type == "text/html"
    if _is_long(item.part):
        yield from _long_text(item.part, is_html=is_html)
    elif is_html:
        yield html_text.html_to_text(as_text.text_in(item.part))
    else:
        yield as_text.plain_text(item)


def _is_long(part: Part) -> bool:
    return part.region.end - part.region.start > LAID_OUT


def _long_text(part: Part, *, is_html: bool) -> Iterator[str]:
    """Yields a long text bit by bit, divided at line ends where it has them."""
    region = part.region
    encoded = (region.source, part.encoding, region.start, region.end)
    name = part.charset
    if _is_wide(name):
        yield part.text()
        return
    if is_html and not name:
        name = charset_evidence.told_in_html(part.start(charset_evidence.TOLD_WITHIN))
    left = b""
    for octets in transfer_encoding.pieces(*encoded):
        whole, line_end, left = (left + octets).rpartition(b"\n")
        if not line_end and len(left) > LAID_OUT:
            whole, left = left, b""
        yield _decoded(whole, name, is_html=is_html)
    yield _decoded(left, name, is_html=is_html)


def _is_wide(name: str) -> bool:
    """Whether a line end is more than one octet in a charset."""
    return name.lower().startswith(("utf-16", "utf-32", "utf16", "utf32"))


def _decoded(octets: bytes, name: str, *, is_html: bool) -> str:
    text = charset.decode(octets, name, is_html=is_html)
    return html_text.words_alone(text) if is_html else text


def _event(part: Part) -> str:
    text = _FOLD.sub("", part.text())
    return "\n".join(_EVENT.findall(text)).replace("\\n", "\n").replace("\\N", "\n")


def _is_encrypted(part: Part) -> bool:
    if part.content_type == "application/pgp-encrypted":
        return True
    kind = part.parameters.get("smime-type", "").lower()
    return part.content_type in smime.CONTENT_TYPES and kind in _ENCRYPTED
