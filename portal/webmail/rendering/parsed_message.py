"""An opened message: what a page shows of it, whatever its sender put in."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field

import inscriptis

from engine.antivirus.attachments import policy
from engine.mail.address_list import NamedAddress, addresses_in
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime import html_text as markup
from engine.mail.mime.parts import MESSAGES, Part, walk
from engine.storage import content
from engine.storage.models import Message
from portal.webmail.rendering import plain_text
from portal.webmail.rendering.html_limits import TooComplexError
from portal.webmail.rendering.html_sanitiser import PICTURE_TYPES, SafeHtml, sanitise

# Recipients named on the page of one message, and those that are not folded.
NAMES_SHOWN = 500
NAMES_FIRST = 5

# Files listed on the page of one message; the others are in the download.
FILES_SHOWN = 200
# Octets of a file that show whether it is a page.
FILE_START = 4096

# Elements and characters of HTML that are laid out as text. Layout takes up to 30 µs
# for an element, and a list inside lists more: beyond these the words alone are shown.
LAID_OUT_ELEMENTS = 4_000
LAID_OUT_LENGTH = 256 * 1024

# Octets of pictures that are set into the text, one and all of them.
PICTURE_LIMIT = 2 * 1024 * 1024
PICTURES_LIMIT = 6 * 1024 * 1024


_ELEMENT = re.compile(r"<[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Named:
    """The people of one header field; those beyond the limit are only counted."""

    shown: tuple[NamedAddress, ...] = ()
    hidden: int = 0

    @property
    def first(self) -> tuple[NamedAddress, ...]:
        """Those whom everybody sees."""
        return self.shown[:NAMES_FIRST]

    @property
    def folded(self) -> tuple[NamedAddress, ...]:
        """Those whom one sees who asks."""
        return self.shown[NAMES_FIRST:]

    @property
    def more(self) -> int:
        """How many there are besides the first."""
        return len(self.folded) + self.hidden


@dataclass(frozen=True, slots=True)
class ShownAttachment:
    """A file that came with a message, by the name that is safe to give it."""

    path: str
    name: str
    part: Part

    @property
    def size(self) -> int:
        """Octets, reckoned where the file is large."""
        return self.part.size

    @property
    def is_active(self) -> bool:
        """Whether it may do more in a browser than show itself."""
        return policy.warns_of(self.name, self.part.start(FILE_START))


@dataclass(slots=True)
class Reading:
    """A message taken apart, once."""

    raw: bytes
    header: HeaderBlock
    text: str = ""
    markup: str = ""
    parts: list[Part] = field(default_factory=list)
    attachments: list[ShownAttachment] = field(default_factory=list)
    embedded: list[Part] = field(default_factory=list)
    _people: dict[str, list[NamedAddress]] = field(default_factory=dict)

    def everybody(self, name: str) -> list[NamedAddress]:
        """Who stands in the field with that name."""
        if name not in self._people:
            fields = self.header.all(name)
            self._people[name] = [n for f in fields for n in addresses_in(f.value)]
        return self._people[name]

    def people(self, name: str) -> Named:
        """Who is shown of those in the field with that name."""
        found = self.everybody(name)
        return Named(tuple(found[:NAMES_SHOWN]), max(0, len(found) - NAMES_SHOWN))

    def part(self, path: str) -> tuple[ShownAttachment, Part] | None:
        """The attachment at that path, with its part."""
        for shown, part in zip(self.attachments, self.parts, strict=True):
            if shown.path == path:
                return shown, part
        return None

    @property
    def unscanned(self) -> str:
        """What in it nobody could look into, as the engine wrote it when it came."""
        return self.header.text(policy.MARK)

    @property
    def shown_files(self) -> list[ShownAttachment]:
        """The files that the page lists."""
        return self.attachments[:FILES_SHOWN]

    @property
    def hidden_files(self) -> int:
        """How many more there are."""
        return max(0, len(self.attachments) - FILES_SHOWN)

    def safe_html(self) -> SafeHtml | None:
        """The HTML made safe; None without any, or where that would take too long."""
        if not self.markup:
            return None
        try:
            return sanitise(self.markup, self._pictures())
        except TooComplexError:
            return None

    def as_text(self, safe: SafeHtml | None = None) -> str:
        """The message in plain text: as the sender wrote it, else out of the HTML.

        `safe` is the HTML made safe, where the caller has it already.
        """
        if self.text.strip():
            return self.text[: plain_text.LENGTH_LIMIT]
        if not self._can_be_laid_out:
            return markup.words_of(self.markup)
        safe = safe or self.safe_html()
        if safe is None:
            return markup.words_of(self.markup)
        text: str = inscriptis.get_text(safe.html)
        return text.strip()[: plain_text.LENGTH_LIMIT]

    def is_cut(self, text: str) -> bool:
        """Whether `text`, out of `as_text`, is not all of it."""
        if self.text.strip():
            return len(self.text) > plain_text.LENGTH_LIMIT
        is_long = len(self.markup) > markup.LENGTH_LIMIT
        return is_long or len(text) >= plain_text.LENGTH_LIMIT

    @property
    def _can_be_laid_out(self) -> bool:
        if len(self.markup) > LAID_OUT_LENGTH:
            return False
        return sum(1 for _ in _ELEMENT.finditer(self.markup)) <= LAID_OUT_ELEMENTS

    def _pictures(self) -> dict[str, str]:
        """A data: URL for each picture that the HTML may set into the text."""
        urls: dict[str, str] = {}
        room = PICTURES_LIMIT
        for part in self.embedded:
            data = part.data()
            if len(data) <= min(room, PICTURE_LIMIT):
                room -= len(data)
                encoded = b64encode(data).decode("ascii")
                urls[part.content_id] = f"data:{part.content_type};base64,{encoded}"
        return urls


def read(message: Message) -> Reading:
    """Take a stored message apart. Its content is loaded."""
    return take_apart(content.read(message.content))


def take_apart(raw: bytes) -> Reading:
    """Sort the parts of a message into text, HTML, pictures in it, and files."""
    header, body = split(raw)
    reading = Reading(raw, HeaderBlock.salvage(header))
    for part in walk(header, body):
        if not part.is_nested:
            _place(reading, part)
    for part in reading.embedded:
        if f"cid:{part.content_id}" not in reading.markup:
            _attach(reading, part)
    return reading


def _place(reading: Reading, part: Part) -> None:
    if part.is_attachment:
        _attach(reading, part)
    elif part.content_type == "text/plain":
        reading.text = "\n\n".join(filter(None, (reading.text, _text(part))))
    elif part.content_type == "text/html":
        reading.markup = reading.markup or _text(part)
    elif part.content_type in PICTURE_TYPES:
        reading.embedded.append(part)
    else:
        _attach(reading, part)


def _text(part: Part) -> str:
    return part.text().replace("\r\n", "\n").replace("\0", "")


def _attach(reading: Reading, part: Part) -> None:
    ending = ".eml" if part.content_type in MESSAGES else ""
    otherwise = f"attachment-{len(reading.parts) + 1}{ending}"
    name = part.filename or otherwise
    reading.attachments.append(ShownAttachment(part.path, name, part))
    reading.parts.append(part)
