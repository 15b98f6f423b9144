"""Separates what the requester wrote in a reply to us from their quotation of our letter.

Only a quotation of ours that runs to the end of the text is separated. What quotes others
(a bounce, a suspicious letter, lines of a log) is what the requester wants us to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.mail.address import Address
from portal.helpdesk import ticket_links
from portal.helpdesk.models import Ticket
from portal.helpdesk.outgoing.reply_message import sender_name
from portal.helpdesk.status import EntryKind

# Our letters whose lines are recognised, and characters of a quotation that are searched.
MAX_LETTERS = 20
MAX_SEARCHED = 100_000
# Shorter lines ("Hello", "Thanks") may be anybody's.
MIN_LINE = 8
# A line above a quotation, which programs break in up to three.
MAX_ATTRIBUTION = 400
MAX_ATTRIBUTION_LINES = 3
# A header written as text: three fields at least, and Outlook writes up to six.
MIN_FIELDS, MAX_FIELDS = 3, 10

_WROTE = re.compile(r"On .{1,300} wrote:", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-][\w.-]{0,250}")
_SEPARATOR = re.compile(r"\s*(?:-{2,}[^-].{0,80}-{2,}|[-_]{10,})\s*")
_FIELD = re.compile(r"\s*\*{0,2}[^\s:*>][^:\n]{0,30}:\*{0,2}(?:\s|$)")
_BLANKS_AND_MARKS = re.compile(r"[\s>]+")


@dataclass(frozen=True, slots=True)
class OurMarks:
    """By what a quotation is known as ours: address, names, and lines without blanks."""

    address: Address
    names: frozenset[str]
    lines: tuple[str, ...] = ()

    def names_us(self, text: str) -> bool:
        """Whether the text holds the helpdesk's address or a name that we write under."""
        return self.holds_address(text) or any(
            re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)
            for name in self.names
        )

    def holds_address(self, text: str) -> bool:
        """Whether the text holds the helpdesk's address, or a reply address of a ticket."""
        return any(self._is_ours(found) for found in _ADDRESS.findall(text))

    def names_others(self, text: str) -> bool:
        """Whether the text holds addresses, and none of them is the helpdesk's."""
        found = _ADDRESS.findall(text)
        return bool(found) and not any(map(self._is_ours, found))

    def wrote(self, text: str) -> bool:
        """Whether the text holds a line of ours, however it is broken and marked."""
        whole = _squeezed(text[:MAX_SEARCHED])
        return any(line in whole for line in self.lines)

    def _is_ours(self, address: str) -> bool:
        local, _, domain = address.casefold().rpartition("@")
        ours = self.address
        is_local = local.partition("+")[0] == ours.local.casefold()
        return is_local and domain.rstrip(".") == ours.domain


def marks_of(ticket: Ticket) -> OurMarks:
    """Returns the marks of the letters that we wrote on a ticket."""
    ours = ticket.entries.filter(kind__in=(EntryKind.REPLY, EntryKind.NOTICE))
    letters = list(ours.order_by("-pk")[:MAX_LETTERS])
    agents = {one.author_name for one in letters if one.kind == EntryKind.REPLY}
    lines = (line for one in letters for line in one.text.splitlines())
    return OurMarks(
        ticket_links.helpdesk_address(),
        frozenset({sender_name(), "helpdesk", *agents} - {""}),
        tuple(filter(_is_telling, map(_squeezed, lines))),
    )


def separate(text: str, marks: OurMarks) -> tuple[str, str]:
    """Returns the text without a quotation of ours at its end, and that quotation.

    The quotation is empty where there is none, and where nothing else would be left.
    """
    lines = text.strip().split("\n")
    starts = (_start_of_marked(lines, marks), _start_of_unmarked(lines, marks))
    start = min((one for one in starts if one is not None), default=len(lines))
    fresh = "\n".join(lines[:start]).strip()
    if not fresh:
        return text.strip(), ""
    return fresh, "\n".join(lines[start:]).strip()


def _start_of_marked(lines: Sequence[str], marks: OurMarks) -> int | None:
    """Returns where a quotation of ours with ">" begins, its attribution included."""
    start = _start_of_quoted_tail(lines)
    quoted = "\n".join(lines[start:])
    if not quoted:
        return None
    is_ours = marks.wrote(quoted)
    above = _attribution_above(lines, start, marks)
    if above is None:
        return start if is_ours else None
    attribution = " ".join(lines[above:start])
    return above if is_ours or not marks.names_others(attribution) else None


def _start_of_quoted_tail(lines: Sequence[str]) -> int:
    """Returns the index from which on all lines begin with ">" or are empty."""
    start = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(">"):
            start = number
        elif lines[number].strip():
            break
    return start


def _attribution_above(lines: Sequence[str], at: int, marks: OurMarks) -> int | None:
    """Returns where "On Monday, the helpdesk wrote:" begins above a quotation."""
    end = at
    while end and at - end < MAX_ATTRIBUTION_LINES and not lines[end - 1].strip():
        end -= 1
    if not end or not lines[end - 1].rstrip().endswith(":"):
        return None
    starts = range(end - 1, max(end - 1 - MAX_ATTRIBUTION_LINES, -1), -1)
    texts = {one: " ".join(map(str.strip, lines[one:end])) for one in starts}
    fitting = [one for one in starts if len(texts[one]) <= MAX_ATTRIBUTION]
    # In other languages than English, our address tells.
    for is_one in (_WROTE.fullmatch, marks.holds_address):
        for start in fitting:
            if is_one(texts[start]):
                return start
    return None


def _start_of_unmarked(lines: Sequence[str], marks: OurMarks) -> int | None:
    """Returns where our letter begins that is quoted without marks, as Outlook does."""
    for at, line in enumerate(lines):
        if _SEPARATOR.fullmatch(line) and "forward" not in line.casefold():
            if _is_our_header(_from_next_text(lines, at + 1), marks):
                return at
        elif ":" not in line or len(line) > MAX_ATTRIBUTION:
            continue
        elif _is_our_header(lines[at : at + MAX_FIELDS], marks):
            return at
        elif line.rstrip().endswith(":") and marks.holds_address(line):
            following = _from_next_text(lines, at + 1)
            if following and not following[0].startswith(">"):
                return at
    return None


def _from_next_text(lines: Sequence[str], at: int) -> Sequence[str]:
    """Returns the lines from the next that is not empty, if it is near."""
    for start in range(at, min(at + MAX_ATTRIBUTION_LINES, len(lines))):
        if lines[start].strip():
            return lines[start : start + MAX_FIELDS]
    return ()


def _is_our_header(lines: Sequence[str], marks: OurMarks) -> bool:
    """Whether the lines begin with the header of a letter of ours, written as text."""
    if not lines or not _FIELD.match(lines[0]) or len(lines[0]) > MAX_ATTRIBUTION:
        return False
    fields = 0
    for line in lines:
        if not _FIELD.match(line):
            break
        fields += 1
    return fields >= MIN_FIELDS and marks.names_us(lines[0])


def _is_telling(line: str) -> bool:
    return len(line) >= MIN_LINE


def _squeezed(text: str) -> str:
    return _BLANKS_AND_MARKS.sub("", text)
