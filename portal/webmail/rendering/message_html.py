"""The words of a message as one safe HTML document: every text and HTML part, in order."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from django.utils.html import format_html
from django.utils.safestring import SafeString

from engine.mail.mime.parts import Part
from engine.mail.reading.as_text import plain_text, text_in, text_of
from engine.mail.reading.items import Item, Kind, Reading
from portal.webmail.rendering.html_limits import TooComplexError
from portal.webmail.rendering.html_sanitiser import PICTURE_TYPES, sanitise_html
from portal.webmail.rendering.plain_text import LENGTH_LIMIT, LOST, linked

# Octets of each embedded picture, and of all together.
PICTURE_LIMIT = 2 * 1024 * 1024
PICTURES_LIMIT = 6 * 1024 * 1024


@dataclass(slots=True)
class SafeDocument:
    """The document, and what its reader must know about it.

    `is_simplified` where the layout of a part was too complicated and its text is shown
    instead; `is_continued` where that text is longer than a page. `has_lost_characters`
    where U+FFFD stands for some.
    """

    pieces: list[SafeString] = field(default_factory=list)
    has_remote_pictures: bool = False
    is_simplified: bool = False
    is_continued: bool = False
    has_lost_characters: bool = False


def document_of(reading: Reading) -> SafeDocument:
    """Returns the words of a message, sanitised part by part.

    One part cannot open an element that swallows the next: each is made well-formed.
    """
    document = SafeDocument()
    pictures = _Pictures()
    for item in reading.words:
        if item.name:
            caption = format_html('<p class="name">{}</p>', item.name)
            document.pieces.append(caption)
        document.pieces.append(_shown(item, document, pictures))
    return document


def _shown(item: Item, document: SafeDocument, pictures: _Pictures) -> SafeString:
    if item.kind is Kind.TEXT:
        return _as_text(plain_text(item), document)
    try:
        html = text_in(item.part)
        safe = sanitise_html(html, pictures.urls(item))
    except TooComplexError:
        document.is_simplified = True
        return _as_text(text_of(item), document)
    document.has_remote_pictures |= safe.has_remote_pictures
    document.has_lost_characters |= LOST in html
    return format_html('<div class="part">{}</div>', SafeString(safe.html))


def _as_text(text: str, document: SafeDocument) -> SafeString:
    document.is_continued |= len(text) > LENGTH_LIMIT
    document.has_lost_characters |= LOST in text
    return format_html('<div class="text">{}</div>', linked(text[:LENGTH_LIMIT]))


class _Pictures:
    """The pictures of a message as data: URLs, within limits for all of them."""

    def __init__(self) -> None:
        self._room = PICTURES_LIMIT
        self._made: dict[str, str] = {}

    def urls(self, item: Item) -> dict[str, str]:
        """Returns a data: URL by Content-ID for each picture that an item embeds."""
        made = ((part.content_id, self._url(part)) for part in item.pictures)
        return {content_id: url for content_id, url in made if url}

    def _url(self, part: Part) -> str:
        if part.path not in self._made:
            self._made[part.path] = self._encoded(part)
        return self._made[part.path]

    def _encoded(self, part: Part) -> str:
        most = min(self._room, PICTURE_LIMIT)
        encoded = part.region.end - part.region.start
        # No encoding takes more than three octets for one.
        if part.content_type not in PICTURE_TYPES or encoded > 3 * most:
            return ""
        data = part.data()
        if len(data) > most:
            return ""
        self._room -= len(data)
        return f"data:{part.content_type};base64,{b64encode(data).decode('ascii')}"
