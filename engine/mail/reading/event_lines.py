"""The lines of a calendar file as blocks and properties (RFC 5545 §3.1), within bounds.

icalendar 7.3 parses single lines. Its parser of whole files evaluates the time zones in
them, with rules that may recur each second, and keeps them for every file read later.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass, field

from icalendar.parser import Contentline, unescape_backslash

from engine.mail.mime import charset

MAX_CHARACTERS = 4_000_000  # of a file; pictures may be written into it
MAX_VALUE = 20_000  # characters of a line that are parsed
MAX_LINES = 5000  # that are parsed

_FOLD = re.compile(r"\r?\n[ \t]")
_SOFT_BREAK = re.compile(r"=\r?\n")
# Outlook writes some names of zones with a colon and without the quotes it needs.
_UNQUOTED_ZONE = re.compile(r"(?<=;TZID=)tzone://[^\";:,]{1,80}(?=[;:])")
_LINE = re.compile(r"[^\r\n]++")
_NAME = re.compile(r"[A-Za-z0-9-]{1,40}(?=[;:])")
_MAX_DEPTH = 3  # a calendar, its time zone, and the rules of that
_WANTED = frozenset(
    [
        "METHOD",
        "UID",
        "SUMMARY",
        "LOCATION",
        "DESCRIPTION",
        "URL",
        "STATUS",
        "SEQUENCE",
        "ORGANIZER",
        "ATTENDEE",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "TZID",
        "TZOFFSETFROM",
        "TZOFFSETTO",
    ]
)


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its parameters, with names in capitals, and its value as written."""

    parameters: dict[str, str]
    raw: str

    @property
    def text(self) -> str:
        """The value as a text (RFC 5545 §3.3.11)."""
        if self.parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
            octets = a2b_qp(self.raw.encode())
            return charset.decode(octets, self.parameters.get("CHARSET", ""))
        return str(unescape_backslash(self.raw)).replace("\0", "")


@dataclass(slots=True)
class Block:
    """What stands between BEGIN and END: properties by name, and blocks inside."""

    name: str
    properties: dict[str, list[Property]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """Returns the first property of that name."""
        return next(iter(self.properties.get(name, ())), None)

    def text(self, name: str) -> str:
        """Returns the first property of that name as a text, empty without one."""
        found = self.first(name)
        return found.text.strip() if found else ""

    def named(self, name: str) -> Iterator[Block]:
        """Yields the blocks of that name, at any depth."""
        for block in self.blocks:
            if block.name == name:
                yield block
            yield from block.named(name)


def read(text: str) -> Block:
    """Returns a file as one block. Never raises: what is malformed is left out."""
    text = text[:MAX_CHARACTERS]
    # Its predecessor, vCalendar 1.0, writes texts in quoted-printable.
    if "QUOTED-PRINTABLE" in text.upper():
        text = _SOFT_BREAK.sub("", text)
    root = Block("")
    open_blocks = [root]
    too_deep = 0
    for name, line in _lines(text):
        if name == "BEGIN":
            block = Block(_value(line))
            if too_deep or len(open_blocks) > _MAX_DEPTH:
                too_deep += 1
            else:
                open_blocks[-1].blocks.append(block)
                open_blocks.append(block)
        elif name == "END":
            if too_deep:
                too_deep -= 1
            elif len(open_blocks) > 1:
                open_blocks.pop()
        elif not too_deep and (found := _property(line)):
            open_blocks[-1].properties.setdefault(name, []).append(found)
    return root


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yields the unfolded lines that are parsed, each with its name in capitals."""
    left = MAX_LINES
    for line in _LINE.findall(_FOLD.sub("", text)):
        name = _NAME.match(line)
        key = name[0].upper() if name else ""
        if key not in _WANTED and key not in ("BEGIN", "END"):
            continue
        left -= 1
        if left < 0:
            return
        yield key, line[:MAX_VALUE]


def _value(line: str) -> str:
    return line.partition(":")[2].strip().upper()


def _property(line: str) -> Property | None:
    try:
        _, parameters, raw = Contentline(
            _UNQUOTED_ZONE.sub(r'"\g<0>"', line)
        ).raw_parts()
    except ValueError:
        return None
    return Property(
        {
            key.upper(): value if isinstance(value, str) else ",".join(value)
            for key, value in parameters.items()
        },
        str(raw),
    )
