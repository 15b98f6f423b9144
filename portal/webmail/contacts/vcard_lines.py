"""Takes a vCard file apart into cards, and cards into properties, within bounds.

vobject reads each property. What reaches it is bounded here: only the properties that a
contact keeps, so that no photograph is ever put together, each of limited length and of
a form that its regular expressions match in linear time.

Of vobject only the reading of a line is used. As a whole card, it would take every value
for escaped text of vCard 3.0, and cut "Jones, Jane" of a 2.1 card at the comma.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vobject.base import ContentLine, VObjectError, textLineToContentLine

from portal.webmail.contacts import file_text

WANTED = frozenset({"FN", "N", "EMAIL", "TEL", "ORG", "NOTE", "CATEGORIES"})
# Characters of a property, and properties of a card.
LENGTH_LIMIT = 10_000
PROPERTIES_LIMIT = 200
# Doubts kept of one card.
DOUBTS_LIMIT = 5

_BREAK = re.compile(r"\r\n|\r|\n")
_WORD = r"[A-Za-z0-9_-]++"
_PARAMETER_VALUE = r'(?:"[^"]*+"|[^";:,]*+)'
_HEAD = re.compile(
    rf"(?:{_WORD}\.)?(?P<name>{_WORD})"
    rf"(?:;{_WORD}(?:={_PARAMETER_VALUE}(?:,{_PARAMETER_VALUE})*+)?)*+:"
)
# The beginning of a line that is meant as a property, whatever follows.
_MEANT = re.compile(rf"(?:{_WORD}\.)?(?P<name>{_WORD})[:;]")
_QUOTED_PRINTABLE = re.compile("quoted-printable", re.IGNORECASE)
_CHARSET = re.compile(rf";CHARSET=({_PARAMETER_VALUE})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line of the file, and its number."""

    number: int
    text: str


@dataclass(slots=True)
class RawCard:
    """The lines of one card, without those of cards inside it."""

    lines: list[Line] = field(default_factory=list)
    is_complete: bool = False

    @property
    def is_old(self) -> bool:
        """Whether it is vCard 2.1, which escapes and folds otherwise than 3.0 and 4.0."""
        versions = (line.text.strip().upper() for line in self.lines[:20])
        return "VERSION:2.1" in versions


@dataclass(slots=True)
class Properties:
    """The properties that a contact keeps, in order, and doubts about others."""

    found: list[ContentLine] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, sentence: str) -> None:
        """Adds a doubt, unless there are many."""
        if len(self.doubts) < DOUBTS_LIMIT:
            self.doubts.append(sentence)


def cards(text: str) -> Iterator[RawCard]:
    """Yields the cards of a file, also one whose end is missing."""
    card: RawCard | None = None
    inside = 0
    for number, written in enumerate(_BREAK.split(text), 1):
        word = written.strip().upper()
        if word == "BEGIN:VCARD":
            if card is not None and (inside or _opens_agent(card)):
                inside += 1
                continue
            if card is not None:
                yield card
            card = RawCard()
        elif word == "END:VCARD" and card is not None:
            if inside:
                inside -= 1
                continue
            card.is_complete = True
            yield card
            card = None
        elif card is not None and not inside:
            card.lines.append(Line(number, written))
    if card is not None:
        yield card


def properties(card: RawCard) -> Properties:
    """Reads the properties of a card. What cannot be read becomes a doubt."""
    read = Properties()
    if not card.is_complete:
        read.doubt("The card breaks off: its END:VCARD is missing")
    for logical in _logical_lines(card, read):
        if len(read.found) >= PROPERTIES_LIMIT:
            read.doubt("The card is longer than is read here")
            break
        _read_property(logical, read)
    return read


def _opens_agent(card: RawCard) -> bool:
    """Whether the next card is a value of this one (vCard 2.1, AGENT)."""
    last = next((line.text for line in reversed(card.lines) if line.text.strip()), "")
    head, colon, value = last.partition(":")
    name = head.partition(";")[0].rpartition(".")[2]
    return bool(colon) and name.strip().upper() == "AGENT" and not value.strip()


def _logical_lines(card: RawCard, read: Properties) -> Iterator[Line]:
    """Yields each wanted property in one line, unfolded."""
    pieces: list[str] = []
    begun: Line | None = None
    is_soft = False
    for line in card.lines:
        if begun is not None and is_soft:
            pieces.append(f"\n{line.text}")
        elif line.text[:1] in (" ", "\t"):
            if begun is not None:
                pieces.append(_unfolded(card, begun, line.text))
        else:
            if begun is not None:
                yield from _bounded(begun, pieces, read)
            begun, pieces = (
                (line, [line.text]) if _is_wanted(line, read) else (None, [])
            )
        is_soft = bool(
            begun is not None
            and line.text.endswith("=")
            and _QUOTED_PRINTABLE.search(begun.text.partition(":")[0])
        )
    if begun is not None:
        yield from _bounded(begun, pieces, read)


def _unfolded(card: RawCard, begun: Line, text: str) -> str:
    """Returns a continuation line: 2.1 folds at a space and keeps it, 3.0 adds one."""
    is_address = begun.text.upper().partition(":")[0].find("EMAIL") >= 0
    return text if card.is_old and not is_address else text[1:]


def _is_wanted(line: Line, read: Properties) -> bool:
    meant = _MEANT.match(line.text)
    if meant is not None:
        return meant["name"].upper() in WANTED
    # The lines of a photograph that is not folded are no properties either.
    if " " in line.text.strip():
        read.doubt(f"Line {line.number} belongs to no field: “{line.text[:40]}”")
    return False


def _bounded(begun: Line, pieces: list[str], read: Properties) -> Iterator[Line]:
    text = "".join(pieces)
    if len(text) > LENGTH_LIMIT:
        read.doubt(f"Line {begun.number} is too long, and is left out")
    else:
        yield Line(begun.number, text)


def _read_property(logical: Line, read: Properties) -> None:
    head = _HEAD.match(logical.text)
    if head is None:
        read.doubt(
            f"Line {logical.number} cannot be read, and is left out: "
            f"“{logical.text[:40]}”"
        )
        return
    value = logical.text[head.end() :]
    # vobject knows the word in capitals only, and takes any other encoding for base64.
    written = _QUOTED_PRINTABLE.sub("QUOTED-PRINTABLE", head[0])
    charset = _CHARSET.search(written)
    if charset and not file_text.is_known(charset[1].strip('"')):
        written = written.replace(charset[0], "")
    for attempt in (written, _with_charset(written, "windows-1252")):
        # Checked again: on another form vobject's expression may take very long.
        if not _HEAD.fullmatch(attempt):
            continue
        try:
            found = textLineToContentLine(attempt + value, logical.number)
            found.value = _without_base64(found)
        except (VObjectError, UnicodeError, LookupError, TypeError, binascii.Error):
            continue
        if attempt != written:
            read.doubt(
                f"The letters of line {logical.number} were read as Western European"
            )
        read.found.append(found)
        return
    read.doubt(f"Line {logical.number} cannot be decoded, and is left out")


def _with_charset(head: str, charset: str) -> str:
    return f"{_CHARSET.sub('', head)[:-1]};CHARSET={charset}:"


def _without_base64(line: ContentLine) -> str:
    """Returns the value, decoded where it is base64. Raises binascii.Error."""
    encodings = {one.upper() for one in line.params.get("ENCODING", [])}
    singles = {one.upper() for one in line.singletonparams}
    if not ({"B", "BASE64"} & encodings or "BASE64" in singles):
        return str(line.value)
    charset = next(iter(line.params.get("CHARSET", [])), "utf-8")
    return base64.b64decode("".join(line.value.split()), validate=True).decode(charset)


def values_of(found: Iterable[ContentLine], name: str) -> list[ContentLine]:
    """Returns the properties of that name, the preferred one first."""
    return sorted((line for line in found if line.name == name), key=_rank)


def _rank(line: ContentLine) -> int:
    """Orders properties: PREF=1 to 100 of 4.0, the word PREF of 2.1 and 3.0, others, fax."""
    types = {
        word.strip().upper()
        for text in (*line.params.get("TYPE", []), *line.singletonparams)
        for word in text.split(",")
    }
    number = next(iter(line.params.get("PREF", [])), "")
    if number.isascii() and number.isdigit() and len(number) <= 3:
        return int(number)
    if "PREF" in types:
        return 1
    return 102 if "FAX" in types else 101
