"""Disguises for text, made from Unicode's data and a font, independently of our tables.

Which characters look alike is determined by comparing outlines in a font that mail is
read in; `unicodedata` tells which are invisible, change direction or decompose.
"""

from __future__ import annotations

import random
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TYPEFACE = Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")


@lru_cache(maxsize=1)
def _every() -> tuple[str, ...]:
    return tuple(
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) not in ("Cn", "Co", "Cs")
    )


@lru_cache(maxsize=1)
def identical_outlines() -> dict[str, list[str]]:
    """Maps ASCII letters and signs to characters with identical outlines."""
    face = TTFont(TYPEFACE)
    glyphs, drawn = face.getGlyphSet(), defaultdict(list)
    for code, name in face.getBestCmap().items():
        pen = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(pen)
        if pen.value:
            drawn[str(pen.value)].append(chr(code))
    return {
        one: [other for other in same if not other.isascii()]
        for same in drawn.values()
        for one in same
        if one.isascii() and not all(map(str.isascii, same))
    }


@lru_cache(maxsize=1)
def styled() -> dict[str, list[str]]:
    """Maps ASCII to its styled forms: bold, script, wide, small, circled."""
    found = defaultdict(list)
    for character in _every():
        if character.isascii() or not unicodedata.decomposition(character):
            continue
        plain = unicodedata.normalize("NFKC", character)
        if len(plain) == 1 and plain.isascii():
            found[plain].append(character)
    return found


@lru_cache(maxsize=1)
def invisible() -> list[str]:
    """Returns format characters, selectors, joiners and fillers."""
    words = ("VARIATION SELECTOR", "GRAPHEME JOINER", "HANGUL FILLER")
    return [
        character
        for character in _every()
        if (
            unicodedata.category(character) == "Cf"
            and unicodedata.bidirectional(character) in ("BN", "L", "R", "AL", "")
            and "SIGN" not in unicodedata.name(character, "")
            and "MARK ABOVE" not in unicodedata.name(character, "")
            and "END OF AYAH" not in unicodedata.name(character, "")
        )
        or any(word in unicodedata.name(character, "") for word in words)
    ]


@lru_cache(maxsize=1)
def direction_controls() -> list[str]:
    """Returns the characters that change the direction of the text after them."""
    kinds = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return [c for c in _every() if unicodedata.bidirectional(c) in kinds]


@lru_cache(maxsize=1)
def spaces() -> list[str]:
    return [c for c in _every() if unicodedata.category(c) == "Zs"]


@lru_cache(maxsize=1)
def brackets() -> list[tuple[str, str]]:
    """Returns pairs of signs that enclose text."""
    opening = [c for c in _every() if unicodedata.category(c) in ("Ps", "Pi")]
    closing = [c for c in _every() if unicodedata.category(c) in ("Pe", "Pf")]
    return list(zip(opening, closing, strict=False))


@lru_cache(maxsize=1)
def marks() -> list[str]:
    return [c for c in _every() if unicodedata.category(c) == "Mn" and c < "\u0370"]


Disguise = Callable[[str, random.Random], str]


def _swapped(table: Callable[[], dict[str, list[str]]]) -> Disguise:
    def disguise(text: str, chance: random.Random) -> str:
        return "".join(
            chance.choice(table()[c]) if table().get(c) and chance.random() < 0.5 else c
            for c in text
        )

    return disguise


def _strewn(kinds: Callable[[], list[str]]) -> Disguise:
    def disguise(text: str, chance: random.Random) -> str:
        return "".join(
            c + chance.choice(kinds()) if chance.random() < 0.4 else c for c in text
        )

    return disguise


def _surrounded(text: str, chance: random.Random) -> str:
    before, after = chance.choice(brackets())
    return f"Jane {before}{text}{after}"


def _turned(text: str, chance: random.Random) -> str:
    return f"{chance.choice(direction_controls())}{text}{chance.choice(direction_controls())}"


def _decomposed(text: str, chance: random.Random) -> str:
    return unicodedata.normalize("NFD", _strewn(marks)(text, chance))


def _spread(text: str, chance: random.Random) -> str:
    """Returns an address with spaces around its @, or text with odd spaces."""
    first, second = chance.choices(spaces(), k=2)
    return text.replace("@", f"{first}@{second}").replace(" ", first)


def _said(text: str, chance: random.Random) -> str:
    before, after = chance.choice(["()", "[]", "{}", "<>"])
    return text.replace("@", f" {before}at{after} ")


DISGUISES: dict[str, Disguise] = {
    "as it is": lambda text, chance: text,
    "drawn alike": _swapped(identical_outlines),
    "styled": _swapped(styled),
    "with what is unseen": _strewn(invisible),
    "turned": _turned,
    "with marks": _decomposed,
    "with other spaces": _spread,
    "in brackets": _surrounded,
    "said": _said,
}
