"""vCard 3.0 and 4.0 (RFC 2426, RFC 6350)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from portal.webmail.contacts.contact_card import Card, Cards, UnreadableFileError

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<given>(?:;[^:]*)?):(?P<value>.*)")
_ESCAPED = re.compile(r"\\(.)")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_SEMICOLON = re.compile(r"(?<!\\);")

# RFC 6350 §3.2
_MAX_OCTETS = 75


def read(text: str) -> Cards:
    """The contacts of a file. Raises UnreadableFileError where there are none."""
    found = Cards()
    for number, lines in enumerate(_entries(text), 1):
        _take(found, f"Card {number}", lines)
    if not found.cards and not found.problems:
        raise UnreadableFileError("There is no vCard in the file.")
    return found


def write(cards: Iterable[Card]) -> str:
    """The contacts as a vCard 4.0 file, which 3.0 readers understand as well."""
    return "".join(folded for card in cards for folded in _written(card))


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


def _take(found: Cards, place: str, lines: list[str]) -> None:
    values: dict[str, str] = {}
    groups: list[str] = []
    for line in lines:
        # What is longer is a photograph.
        parsed = _LINE.fullmatch(line) if len(line) < 10_000 else None
        if parsed is None:
            continue
        name, value = parsed["name"].upper(), parsed["value"]
        if name == "CATEGORIES":
            groups += [_plain(one) for one in _UNESCAPED_COMMA.split(value)]
        else:
            _note(values, name, value, is_preferred="PREF" in parsed["given"].upper())
    name = values.get("FN") or _by_parts(values.get("N", ""))
    organisation = _plain(_UNESCAPED_SEMICOLON.split(values.get("ORG", ""))[0])
    kept = {
        "name": _plain(name),
        "address": _plain(values.get("EMAIL", "")).removeprefix("mailto:"),
        "organisation": organisation,
        "phone": _plain(values.get("TEL", "")).removeprefix("tel:"),
        "note": _plain(values.get("NOTE", "")),
    }
    found.take(f"{place} ({kept['name'][:60] or 'no name'})", kept, groups)


def _note(values: dict[str, str], name: str, value: str, *, is_preferred: bool) -> None:
    """Keep the first of each property, or the preferred one."""
    if is_preferred or name not in values:
        values[name] = value


def _by_parts(value: str) -> str:
    """The name out of family; given; additional; prefixes; suffixes."""
    family, given, *_ = [*_UNESCAPED_SEMICOLON.split(value), "", ""]
    return f"{given} {family}".strip()


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda m: " " if m[1] in "nN" else m[1], value).strip()


def _written(card: Card) -> Iterator[str]:
    yield "BEGIN:VCARD\r\n"
    yield "VERSION:4.0\r\n"
    yield _folded(f"FN:{_escaped(card.name)}")
    yield _folded(f"EMAIL:{_escaped(card.address)}")
    for name, value in (
        ("ORG", card.organisation),
        ("TEL", card.phone),
        ("NOTE", card.note),
    ):
        if value:
            yield _folded(f"{name}:{_escaped(value)}")
    if card.groups:
        yield _folded("CATEGORIES:" + ",".join(map(_escaped, card.groups)))
    yield "END:VCARD\r\n"


def _escaped(value: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", value)


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, no letter cut in two."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > _MAX_OCTETS - 1:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece]) + "\r\n"
