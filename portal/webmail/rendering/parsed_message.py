"""A parsed message: what a page shows of it, however it is malformed."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field

import inscriptis

from engine.antivirus.attachments import policy
from engine.mail.address_list import NamedAddress, addresses_in
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime import html_text
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import MESSAGES, Part
from engine.storage import content
from engine.storage.models import Message
from portal.webmail.rendering import plain_text
from portal.webmail.rendering.html_limits import TooComplexError
from portal.webmail.rendering.html_sanitiser import (
    PICTURE_TYPES,
    SafeHtml,
    sanitise_html,
)

# Addresses listed of one header field, and how many of them are not folded.
NAMES_SHOWN = 500
NAMES_FIRST = 5

# Files listed on the page of one message; the others are in the download.
FILES_SHOWN = 200
# Leading octets of a file that are examined to detect a web page.
FILE_START = 4096

# Elements and characters of HTML that are laid out as text. Layout takes up to 30 µs
# for an element, and a list inside lists more: beyond these the words alone are shown.
LAID_OUT_ELEMENTS = 4_000
LAID_OUT_LENGTH = 256 * 1024

# Octets of each embedded picture, and of all together.
PICTURE_LIMIT = 2 * 1024 * 1024
PICTURES_LIMIT = 6 * 1024 * 1024


_ELEMENT = re.compile(r"<[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class AddressField:
    """The addresses of one header field; those beyond NAMES_SHOWN are only counted."""

    shown: tuple[NamedAddress, ...] = ()
    hidden: int = 0

    @property
    def first(self) -> tuple[NamedAddress, ...]:
        """The addresses that are always visible."""
        return self.shown[:NAMES_FIRST]

    @property
    def folded(self) -> tuple[NamedAddress, ...]:
        """The addresses behind "and N more"."""
        return self.shown[NAMES_FIRST:]

    @property
    def more(self) -> int:
        """How many addresses there are besides the first."""
        return len(self.folded) + self.hidden


@dataclass(frozen=True, slots=True)
class ShownAttachment:
    """An attachment under a file name that is safe to offer."""

    path: str
    name: str
    part: Part

    @property
    def size(self) -> int:
        """Size in octets; estimated for large parts."""
        return self.part.size

    @property
    def is_active(self) -> bool:
        """True for a file that a browser might execute, such as HTML or SVG."""
        return policy.warns_of(self.name, self.part.start(FILE_START))


@dataclass(slots=True)
class ParsedMessage:
    """A message split into text, HTML, embedded pictures and attachments.

    `attachments` and `parts` are parallel lists.
    """

    raw: bytes
    header: HeaderBlock
    text: str = ""
    markup: str = ""
    parts: list[Part] = field(default_factory=list)
    attachments: list[ShownAttachment] = field(default_factory=list)
    embedded: list[Part] = field(default_factory=list)
    _addresses: dict[str, list[NamedAddress]] = field(default_factory=dict)

    def all_addresses(self, name: str) -> list[NamedAddress]:
        """Returns every address in the header fields with this name."""
        if name not in self._addresses:
            fields = self.header.all(name)
            self._addresses[name] = [n for f in fields for n in addresses_in(f.value)]
        return self._addresses[name]

    def address_field(self, name: str) -> AddressField:
        """Returns the addresses of a field for display, at most NAMES_SHOWN."""
        found = self.all_addresses(name)
        return AddressField(
            tuple(found[:NAMES_SHOWN]), max(0, len(found) - NAMES_SHOWN)
        )

    def part(self, path: str) -> tuple[ShownAttachment, Part] | None:
        """Returns the attachment at this MIME path with its part, or None."""
        for shown, part in zip(self.attachments, self.parts, strict=True):
            if shown.path == path:
                return shown, part
        return None

    @property
    def unscanned(self) -> str:
        """What could not be scanned for viruses, as recorded on arrival; may be empty."""
        return self.header.text(policy.MARK)

    @property
    def shown_files(self) -> list[ShownAttachment]:
        """The attachments that the page lists."""
        return self.attachments[:FILES_SHOWN]

    @property
    def hidden_files(self) -> int:
        """How many attachments the page does not list."""
        return max(0, len(self.attachments) - FILES_SHOWN)

    def safe_html(self) -> SafeHtml | None:
        """Returns the sanitised HTML; None without HTML, or if it is too complex."""
        if not self.markup:
            return None
        try:
            return sanitise_html(self.markup, self._pictures())
        except TooComplexError:
            return None

    def as_text(self, safe: SafeHtml | None = None) -> str:
        """Returns the message as plain text: the sender's own, else made from the HTML.

        `safe` is the sanitised HTML if the caller has it already. The result has at
        most `plain_text.LENGTH_LIMIT` characters.
        """
        if self.text.strip():
            return self.text[: plain_text.LENGTH_LIMIT]
        if not self._can_be_laid_out:
            return html_text.html_to_text(self.markup)
        safe = safe or self.safe_html()
        if safe is None:
            return html_text.html_to_text(self.markup)
        text: str = inscriptis.get_text(safe.html)
        return text.strip()[: plain_text.LENGTH_LIMIT]

    def is_truncated(self, text: str) -> bool:
        """True if `text`, a result of `as_text`, is not the whole text."""
        if self.text.strip():
            return len(self.text) > plain_text.LENGTH_LIMIT
        is_long = len(self.markup) > html_text.LENGTH_LIMIT
        return is_long or len(text) >= plain_text.LENGTH_LIMIT

    @property
    def _can_be_laid_out(self) -> bool:
        if len(self.markup) > LAID_OUT_LENGTH:
            return False
        return sum(1 for _ in _ELEMENT.finditer(self.markup)) <= LAID_OUT_ELEMENTS

    def _pictures(self) -> dict[str, str]:
        """Returns a data: URL by Content-ID for each picture that the HTML may embed."""
        urls: dict[str, str] = {}
        room = PICTURES_LIMIT
        for part in self.embedded:
            data = part.data()
            if len(data) <= min(room, PICTURE_LIMIT):
                room -= len(data)
                encoded = b64encode(data).decode("ascii")
                urls[part.content_id] = f"data:{part.content_type};base64,{encoded}"
        return urls


def parse_stored(message: Message) -> ParsedMessage:
    """Parses a stored message."""
    return parse_message(content.read(message))


def parse_message(raw: bytes) -> ParsedMessage:
    """Parses a raw message into text, HTML, embedded pictures and attachments."""
    header, body = split(raw)
    parsed = ParsedMessage(raw, HeaderBlock.salvage(header))
    for part in walk(header, body):
        if not part.is_nested:
            _sort_part(parsed, part)
    for part in parsed.embedded:
        if f"cid:{part.content_id}" not in parsed.markup:
            _add_attachment(parsed, part)
    return parsed


def _sort_part(parsed: ParsedMessage, part: Part) -> None:
    if part.is_attachment:
        _add_attachment(parsed, part)
    elif part.content_type == "text/plain":
        parsed.text = "\n\n".join(filter(None, (parsed.text, _text(part))))
    elif part.content_type == "text/html":
        parsed.markup = parsed.markup or _text(part)
    elif part.content_type in PICTURE_TYPES:
        parsed.embedded.append(part)
    else:
        _add_attachment(parsed, part)


def _text(part: Part) -> str:
    return part.text().replace("\r\n", "\n").replace("\0", "")


def _add_attachment(parsed: ParsedMessage, part: Part) -> None:
    ending = ".eml" if part.content_type in MESSAGES else ""
    otherwise = f"attachment-{len(parsed.parts) + 1}{ending}"
    name = part.filename or otherwise
    parsed.attachments.append(ShownAttachment(part.path, name, part))
    parsed.parts.append(part)
