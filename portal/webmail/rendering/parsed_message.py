"""A parsed message: what a page shows of it, however it is malformed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.http import Http404

from engine.antivirus.attachments import policy
from engine.mail import lookalike
from engine.mail.address_list import NamedAddress, addresses_in
from engine.mail.dates import parse_date
from engine.mail.header import HeaderBlock
from engine.mail.message import split, with_line_ends
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.parts import Part
from engine.mail.reading import as_text, reader
from engine.mail.reading.items import Item, Kind, Reading
from engine.storage import content, message_actions
from engine.storage.models import FirstUse, Message, WithdrawnCopy

# Addresses listed of one header field, and how many of them are not folded.
NAMES_SHOWN = 500
NAMES_FIRST = 5

# Leading octets of a file that are examined to detect a web page.
FILE_START = 4096

# Attached messages that unfold in the page, the octets of each, and characters shown of it.
INNER_SHOWN = 20
INNER_OCTETS = 256 * 1024
INNER_TEXT = 20_000

# The sender's clock is shown beside ours when they differ by more than this.
CLOCK_DIFFERENCE = timedelta(hours=1)


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
    is_message: bool = False

    @property
    def size(self) -> int:
        """Size in octets; estimated for large parts."""
        return self.part.size

    @property
    def is_active(self) -> bool:
        """True for a file that a browser might execute, such as HTML or SVG."""
        return policy.warns_of(self.name, self.part.start(FILE_START))


@dataclass(frozen=True, slots=True)
class InnerMessage:
    """An attached message as it unfolds in the page; its own page shows all of it."""

    path: str
    name: str
    subject: str
    sender: str
    date: str
    text: str


@dataclass(slots=True)
class ParsedMessage:
    """A message with its header, and what is to be shown and offered of it."""

    header: HeaderBlock
    reading: Reading
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

    def sent_at(self, received_at: datetime) -> datetime | None:
        """Returns when the sender says it was written, where our clock says otherwise."""
        date = parse_date(self.header.text("Date"))
        if date is None or abs(received_at - date) <= CLOCK_DIFFERENCE:
            return None
        return date

    @property
    def unscanned(self) -> str:
        """What could not be scanned for viruses, as recorded on arrival; may be empty."""
        return self.header.text(policy.MARK)

    @property
    def has_html(self) -> bool:
        """Whether any of its words are HTML."""
        return any(item.kind is Kind.HTML for item in self.reading.words)

    @property
    def attachments(self) -> list[ShownAttachment]:
        """Everything that is offered beside the words, without embedded pictures."""
        return [_offered(item) for item in self.reading.offered]

    @property
    def all_files(self) -> list[ShownAttachment]:
        """The attachments and, after them, the pictures that its HTML embeds."""
        return [*self.attachments, *map(_picture, self.reading.pictures)]

    def inner_messages(self) -> list[InnerMessage]:
        """Returns the first attached messages, those that are not too large to unfold."""
        found = [one for one in self.reading.offered if one.kind is Kind.MESSAGE]
        small = [item for item in found if item.part.size <= INNER_OCTETS]
        return [_inner(item) for item in small[:INNER_SHOWN]]

    @property
    def other_forms(self) -> list[ShownAttachment]:
        """Forms of its words that neither the layout nor the plain text shows."""
        return [
            ShownAttachment(other.part.path, reader.name_of(other.part), other.part)
            for item in self.reading.words
            for other in _unseen(item)
        ]

    @property
    def is_important(self) -> bool:
        """Whether its sender marked it as important."""
        return self.header.text("Importance").strip().lower() == "high"

    @property
    def is_unimportant(self) -> bool:
        """Whether its sender marked it as of low importance."""
        return self.header.text("Importance").strip().lower() == "low"

    @property
    def html(self) -> str:
        """Its words as its author laid them out, not sanitised; empty for plain text."""
        words = self.reading.words
        if len(words) != 1 or words[0].kind is not Kind.HTML:
            return ""
        return as_text.text_in(words[0].part)

    def whole_text(self) -> str:
        """Returns all its words as plain text, without a limit."""
        return as_text.as_text(self.reading)

    def own_text(self) -> str:
        """Returns the words as the sender typed them: a draft must lose none of it."""
        words = self.reading.words
        if len(words) == 1 and words[0].kind is Kind.TEXT:
            return as_text.plain_text(words[0])
        return self.whole_text()


@dataclass(slots=True)
class WholeMessage(ParsedMessage):
    """A parsed message together with its octets."""

    raw_header: bytes = field(default=b"", repr=False)
    body: ByteSource = field(default=b"", repr=False)

    @property
    def raw(self) -> bytes:
        """The message as it was received."""
        return self.raw_header + self.body[:]

    def part(self, path: str) -> tuple[ShownAttachment, Part] | None:
        """Returns the part at this MIME path, of an attached message too, or None."""
        part = reader.part_at(self.raw_header, self.body, path)
        if part is None:
            return None
        return ShownAttachment(path, reader.name_of(part), part), part

    def attached(self, path: str) -> ParsedMessage | None:
        """Returns the message attached at this MIME path, or None."""
        found = reader.attached(self.raw_header, self.body, path)
        if found is None:
            return None
        return ParsedMessage(reader.header_of(found[0]), found[1])


def parse_stored(message: Message, *, notes_use: bool = True) -> WholeMessage:
    """Parses a stored message, and notes that it was opened.

    Raises Http404 where it was withdrawn or erased since it was loaded. `notes_use` is
    False for a reader under emergency access: that is not the recipient's first use, and
    its author must not learn of it.
    """
    if notes_use and not message_actions.note_use([message], FirstUse.OPENED):
        raise Http404
    return _parse(content.header(message), content.body_source(message))


def parse_withdrawn(copy: WithdrawnCopy) -> WholeMessage:
    """Parses a message that was withdrawn from its mailbox."""
    return _parse(content.header(copy), content.body_source(copy))


def parse_message(raw: bytes) -> WholeMessage:
    """Parses a raw message."""
    return _parse(*split(raw))


def _parse(header: bytes, body: ByteSource) -> WholeMessage:
    return WholeMessage(
        HeaderBlock.salvage(header),
        reader.read(header, body),
        raw_header=header,
        body=body,
    )


def _offered(item: Item) -> ShownAttachment:
    is_message = item.kind is Kind.MESSAGE
    return ShownAttachment(item.part.path, item.name, item.part, is_message)


def _inner(item: Item) -> InnerMessage:
    header, body = split(with_line_ends(item.part.data()))
    block = HeaderBlock.salvage(header)
    return InnerMessage(
        path=item.part.path,
        name=item.name,
        subject=block.text("Subject"),
        sender=lookalike.displayable(block.text("From")),
        date=block.text("Date"),
        text=as_text.as_text(reader.read_words(header, body))[:INNER_TEXT],
    )


def _picture(part: Part) -> ShownAttachment:
    return ShownAttachment(part.path, reader.name_of(part), part)


def _unseen(item: Item) -> Iterator[Item]:
    """Yields the alternatives of an item that no view of it shows."""
    plain = as_text.plain_form(item)
    for other in item.alternatives:
        if other is not plain:
            yield other
