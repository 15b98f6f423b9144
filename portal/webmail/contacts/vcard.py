"""Address books as vCard: reads 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350), writes 4.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from vobject.base import ContentLine

from portal.webmail.contacts import vcard_lines, written_addresses
from portal.webmail.contacts.contact_card import (
    Card,
    ParsedCards,
    RawEntry,
    UnreadableFileError,
    place_of,
)
from portal.webmail.contacts.file_text import FileText
from portal.webmail.contacts.vcard_lines import RawCard, values_of

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# vCard 2.1 escapes separators only: a backslash before a letter is one.
_ESCAPED_OLD = re.compile(r"\\([\\;,:])")
# An escaped character, or one that is not. A backslash at the end escapes nothing.
_CHARACTER = re.compile(r"\\?.", re.DOTALL)
_SCHEME = re.compile(r"(?:tel|mailto):", re.IGNORECASE)

Decoder = Callable[[str], str]

# RFC 6350 §3.2
_MAX_OCTETS = 75


def read(file: FileText) -> ParsedCards:
    """Parses a vCard file. Raises UnreadableFileError if it contains no card."""
    found = ParsedCards(remark=file.remark)
    for number, card in enumerate(vcard_lines.cards(file.text), 1):
        found.add(_entry(number, card, file.guessed))
    if not found.entries and not found.problems:
        raise UnreadableFileError("The file contains no vCard.")
    return found


def write(cards: Iterable[Card]) -> str:
    """Formats cards as vCard 4.0, which 3.0 readers understand as well."""
    return "".join(folded for card in cards for folded in _format(card))


def _entry(number: int, card: RawCard, guessed: frozenset[int]) -> RawEntry:
    read = vcard_lines.properties(card)
    decode = _unescape_old if card.is_old else _unescape

    def first(name: str) -> str:
        return next((str(one.value) for one in values_of(read.found, name)), "")

    name = decode(first("FN")) or _name_from_parts(decode, first("N"))
    values = {
        "name": name,
        "organisation": decode(_split(first("ORG"), ";")[0]),
        "phone": _telephone(decode(first("TEL"))),
        "note": " ".join(decode(str(n.value)) for n in values_of(read.found, "NOTE")),
    }
    groups = [
        decode(one)
        for line in values_of(read.found, "CATEGORIES")
        for one in _split(str(line.value), ",")
    ]
    doubts = read.doubts
    if any(line.number in guessed for line in card.lines):
        doubts.append("The encoding of its letters was guessed")
    addresses = _addresses(values_of(read.found, "EMAIL"), decode, doubts)
    return RawEntry(place_of("Card", number, name), values, addresses, groups, doubts)


def _addresses(
    lines: Iterable[ContentLine], decode: Decoder, doubts: list[str]
) -> list[str]:
    addresses: dict[str, None] = {}
    for line in lines:
        found = written_addresses.find(decode(str(line.value)))
        addresses |= dict.fromkeys(found.addresses)
        doubts += found.doubts
    return list(addresses)


def _telephone(value: str) -> str:
    """Returns a number without the scheme and parameters of a tel: URI (RFC 3966)."""
    if _SCHEME.match(value):
        return _SCHEME.sub("", value, count=1).partition(";")[0]
    return value


def _name_from_parts(decode: Decoder, value: str) -> str:
    """Builds the name from the N property: family; given; additional; …"""
    family, given, middle, *_ = [*map(decode, _split(value, ";")), "", "", ""]
    return " ".join(filter(None, (given, middle, family)))


def _split(value: str, separator: str) -> list[str]:
    """Splits at each separator without a backslash of its own (RFC 6350 §3.4)."""
    pieces: list[list[str]] = [[]]
    for character in _CHARACTER.findall(value):
        if character == separator:
            pieces.append([])
        else:
            pieces[-1].append(character)
    return ["".join(piece) for piece in pieces]


def _unescape(value: str) -> str:
    return _ESCAPED.sub(lambda m: " " if m[1] in "nN" else m[1], value).strip()


def _unescape_old(value: str) -> str:
    return _ESCAPED_OLD.sub(r"\1", value).strip()


def _format(card: Card) -> Iterator[str]:
    yield "BEGIN:VCARD\r\n"
    yield "VERSION:4.0\r\n"
    yield _fold(f"FN:{_escape(card.name)}")
    yield _fold(f"EMAIL:{_escape(card.address)}")
    for name, value in (
        ("ORG", card.organisation),
        ("TEL", card.phone),
        ("NOTE", card.note),
    ):
        if value:
            yield _fold(f"{name}:{_escape(value)}")
    if card.groups:
        yield _fold("CATEGORIES:" + ",".join(map(_escape, card.groups)))
    yield "END:VCARD\r\n"


def _escape(value: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", value)


def _fold(line: str) -> str:
    """Folds the line at 75 octets without splitting a character."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > _MAX_OCTETS - 1:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece]) + "\r\n"
