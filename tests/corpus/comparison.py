"""Compares what was written with what a reader sees, leaf by leaf."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from tests.corpus.leaves import Leaf
from tests.corpus.letter import Letter
from tests.corpus.observed import Observed, essence, words_of

REPORTS = ("message/delivery-status", "message/disposition-notification")
CALENDARS = ("text/calendar", "application/ics")
_REPORTED = re.compile(r"^(?:Final-Recipient|Diagnostic-Code):[^;\n]*;(.*)$", re.M)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# What file systems and shells give a meaning, and what is drawn as nothing.
_REPLACED = re.compile(r'[\\/:*?"<>|%]+')
_NOT_DRAWN = re.compile(r"[\ufe00-\ufe0f]")
# Charsets that a text is often read in by mistake.
_MISTAKEN = ("latin-1", "windows-1252", "utf-8", "gb18030")


class Fault(Enum):
    LOST = "lost"
    WRONG_CHARSET = "wrong charset"
    WRONG_NAME = "wrong name"


@dataclass(frozen=True, slots=True)
class Finding:
    """A leaf that a reader does not get as it was written."""

    letter: Letter
    surface: str
    leaf: Leaf
    fault: Fault

    def __str__(self) -> str:
        leaf = self.leaf
        what = f"{leaf.type} {leaf.name or leaf.text[:40]!r}"
        return f"{self.fault.value}: {self.letter.name}, {self.surface}: {what}"


def compare(
    letter: Letter, surface: str, leaves: tuple[Leaf, ...], seen: Observed
) -> Iterator[Finding]:
    """Yields what is missing or garbled.

    An attached message counts as read if its own leaves do, or, where the surface
    opens none, if it is offered as a file.
    """
    for leaf in leaves:
        if leaf.inside and (opens(surface) or leaf.digest not in seen.digests):
            yield from compare(letter, surface, leaf.inside, seen)
        elif (fault := _fault(leaf, seen)) is not None:
            yield Finding(letter, surface, leaf, fault)


def opens(surface: str) -> bool:
    """Whether attached messages open in place there."""
    return surface == "webmail"


def _fault(leaf: Leaf, seen: Observed) -> Fault | None:
    if leaf.digest in seen.digests:
        return _named(leaf, seen.digests[leaf.digest])
    if leaf.type in REPORTS:
        wanted = [essence(one) for one in _REPORTED.findall(leaf.text)]
        return None if _all_shown(wanted, seen) else Fault.LOST
    words = words_of(leaf.text) if leaf.type == "text/html" else leaf.text
    if not leaf.type.startswith("text/"):
        return Fault.LOST
    if _all_shown([essence(words)], seen):
        return None
    return Fault.WRONG_CHARSET if _is_garbled(words, seen, leaf.charset) else Fault.LOST


def _named(leaf: Leaf, offered: set[str]) -> Fault | None:
    """A picture in HTML has no name there; other files have theirs."""
    wanted = _NOT_DRAWN.sub("", unicodedata.normalize("NFC", leaf.name))
    is_right = not wanted or _REPLACED.sub("_", wanted) in offered or offered == {""}
    return None if is_right else Fault.WRONG_NAME


def _all_shown(wanted: list[str], seen: Observed) -> bool:
    return all(any(one in text for text in seen.texts) for one in wanted)


def _is_garbled(words: str, seen: Observed, charset: str) -> bool:
    """Whether the text is there as another charset reads it."""
    with suppress(LookupError):
        octets = words.encode(charset or "utf-8", "replace")
        mistaken = [essence(octets.decode(one, "replace")) for one in _MISTAKEN]
        if any(_all_shown([one], seen) for one in mistaken if one != essence(words)):
            return True
    kept = essence(_NOT_ASCII.sub("", words))
    shown = [_NOT_ASCII.sub("", text) for text in seen.texts]
    return len(kept) > 20 and any(kept in text for text in shown)
