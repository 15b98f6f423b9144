"""Takes from a message everything that a ticket keeps: text, folded texts and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.mail.composer import Attachment as File
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.parts import Part
from engine.mail.reading import reader
from engine.mail.reading.as_text import as_text, text_of
from engine.mail.reading.items import Item, Kind, Reading
from portal.helpdesk.actions.entries import Fold
from portal.helpdesk.policies import MAX_TEXT_LENGTH
from portal.helpdesk.status import FoldKind

# Attached messages that can be read in place. All are kept as files.
MAX_OPENED = 10
# Forms of one text that are laid out to be read, and their octets: others become files.
MAX_FORMS, MAX_FORM_OCTETS = 20, 500_000
# Characters that are compared to tell whether two forms of a text say the same.
MAX_COMPARED = 500_000
NO_TEXT = "(no text)"

_WORD = re.compile(r"\w+")
_SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject")


@dataclass(slots=True)
class MessageContent:
    """The content of a message: its text, what is one click away, and its files."""

    text: str = ""
    folded: list[Fold] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    def fitted(self) -> MessageContent:
        """Returns the content with texts that an entry can hold.

        A longer text is shown in part, and whole in a file.
        """
        files = list(self.files)
        text = _fitting(self.text.strip() or NO_TEXT, "message.txt", files)
        folded = [
            Fold(one.kind, _fitting(one.text, f"text-{number}.txt", files), one.title)
            for number, one in enumerate(self.folded, 1)
        ]
        return MessageContent(text, folded, files)


def content_of(header: bytes, body: ByteSource) -> MessageContent:
    """Reads the content of a message; never raises on malformed ones."""
    (_, reading), *attached = reader.read_all(header, body)
    forms = _forms(reading)
    readable = [form for form in forms if _is_readable(form)][:MAX_FORMS]
    content = MessageContent(as_text(reading))
    content.folded = [
        *_other_forms(readable, content.text),
        *_attached_messages(reading, attached),
    ]
    content.files = [
        *(_file(item.part) for item in reading.offered),
        *map(_file, reading.pictures),
        *(_file(one.part) for one in forms if one not in readable),
    ]
    return content


def _file(part: Part) -> File:
    return File(reader.name_of(part), part.content_type, part.data())


def _forms(reading: Reading) -> list[Item]:
    """Returns the forms of what the message says in several (RFC 2046 §5.1.4)."""
    several = (one for one in reading.words if one.alternatives or one.covered_by)
    return [form for item in several for form in _with_alternatives(item)]


def _is_readable(form: Item) -> bool:
    return form.part.region.end - form.part.region.start <= MAX_FORM_OCTETS


def _with_alternatives(item: Item) -> Iterator[Item]:
    # Each alone: for HTML, its plain alternative would stand.
    yield item._replace(alternatives=())
    for other in item.alternatives:
        yield from _with_alternatives(other)


def _other_forms(forms: Sequence[Item], text: str) -> Iterator[Fold]:
    """Yields the forms that have words which are not in the text."""
    said = _words(text) if forms else set()
    for form in forms:
        other = text_of(form).strip()
        words = _words(other)
        if not words <= said:
            said |= words
            yield Fold(FoldKind.OTHER_FORM, other)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text[:MAX_COMPARED].casefold()))


def _attached_messages(
    reading: Reading, attached: Iterable[tuple[Part | None, Reading]]
) -> Iterator[Fold]:
    """Yields those attached to the message itself, not those within these."""
    messages = [item for item in reading.offered if item.kind is Kind.MESSAGE]
    opened = {item.part.path for item in messages[:MAX_OPENED]}
    for part, inner in attached:
        if part is not None and part.path in opened:
            yield _attached_message(part, inner)


def _attached_message(part: Part, reading: Reading) -> Fold:
    block = reader.header_of(part)
    fields = {name: block.text(name) for name in _SHOWN_FIELDS}
    head = "\n".join(f"{name}: {value}" for name, value in fields.items() if value)
    text = "\n\n".join(filter(None, (head, as_text(reading).strip())))
    return Fold(FoldKind.MESSAGE, text, fields["Subject"] or "(no subject)")


def _fitting(text: str, name: str, files: list[File]) -> str:
    """Returns a text that fits; what is longer is added whole to `files`."""
    if len(text) <= MAX_TEXT_LENGTH:
        return text
    files.append(File(name, "text/plain", text.encode()))
    note = f"\n\n[This is the beginning. All of it is in the file {name}.]"
    return f"{text[: MAX_TEXT_LENGTH - len(note)].rstrip()}{note}"
