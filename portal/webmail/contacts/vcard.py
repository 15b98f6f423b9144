"""Address books as vCard 3.0 and 4.0 (RFC 2426, RFC 6350)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from portal.webmail.contacts.contact_card import Card, ParsedCards, UnreadableFileError

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<given>(?:;[^:]*)?):(?P<value>.*)")
_ESCAPED = re.compile(r"\\(.)")
# An escaped character, or one that is not. A backslash at the end escapes nothing.
_CHARACTER = re.compile(r"\\?.", re.DOTALL)

# RFC 6350 §3.2
_MAX_OCTETS = 75


def read(text: str) -> ParsedCards:
    """Parses a vCard file. Raises UnreadableFileError if it contains no card."""
    found = ParsedCards()
    for number, lines in enumerate(_entries(text), 1):
        _add_entry(found, f"Card {number}", lines)
    if not found.cards and not found.problems:
        raise UnreadableFileError("The file contains no vCard.")
    return found


def write(cards: Iterable[Card]) -> str:
    """Formats cards as vCard 4.0, which 3.0 readers understand as well."""
    return "".join(folded for card in cards for folded in _format(card))


def _entries(text: str) -> Iterator[list[str]]:
    lines: list[str] | None = None
    for line in _FOLD.sub("", text).splitlines():
        word = line.strip().upper()
        if word == "BEGIN:VCARD":
            lines = []
        elif word == "END:VCARD":
            if lines is not None:
                yield lines
            lines = None
        elif lines is not None:
            lines.append(line)


def _add_entry(found: ParsedCards, place: str, lines: list[str]) -> None:
    values: dict[str, str] = {}
    groups: list[str] = []
    for line in lines:
        # Longer lines are embedded photographs.
        parsed = _LINE.fullmatch(line) if len(line) < 10_000 else None
        if parsed is None:
            continue
        name, value = parsed["name"].upper(), parsed["value"]
        if name == "CATEGORIES":
            groups += [_unescape(one) for one in _split(value, ",")]
        else:
            _keep_property(
                values, name, value, is_preferred="PREF" in parsed["given"].upper()
            )
    name = values.get("FN") or _name_from_parts(values.get("N", ""))
    organisation = _unescape(_split(values.get("ORG", ""), ";")[0])
    kept = {
        "name": _unescape(name),
        "address": _unescape(values.get("EMAIL", "")).removeprefix("mailto:"),
        "organisation": organisation,
        "phone": _unescape(values.get("TEL", "")).removeprefix("tel:"),
        "note": _unescape(values.get("NOTE", "")),
    }
    found.add(f"{place} ({kept['name'][:60] or 'no name'})", kept, groups)


def _keep_property(
    values: dict[str, str], name: str, value: str, *, is_preferred: bool
) -> None:
    """Keeps the first value of each property, or the preferred one."""
    if is_preferred or name not in values:
        values[name] = value


def _name_from_parts(value: str) -> str:
    """Builds the name from the N property: family; given; additional; …"""
    family, given, *_ = [*_split(value, ";"), "", ""]
    return f"{given} {family}".strip()


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
