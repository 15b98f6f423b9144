"""Compares names by what they look like, across scripts (UTS #39, confusables)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import idna
from confusable_homoglyphs.utils import load

# Combining marks on one letter. More would cover the lines above and below; Vietnamese
# needs two, Hebrew with cantillation three.
MAX_MARKS = 3

# Invisible, though not format characters to Unicode (Default_Ignorable_Code_Point and the
# Braille blank), by first and last.
_BLANKS = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2065, 0x2065),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0xE0000, 0xE0FFF),
)
# Needed by Persian and Indic scripts, and within emoji; harmless between such characters.
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_MARKS = frozenset(["Mn", "Me", "Mc"])
_UNSEEN = frozenset(["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"])

# Signs that NFKD and the table leave as they are, and a reader takes for "." or "-".
_SIGNS = {
    **dict.fromkeys(map(ord, "\u3002\u00b7\u2027\u2219\u22c5\u30fb\u2022"), "."),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
}
# In many typefaces these look the same: one of each stands for all.
_ALIKE = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o", "5": "s"})


def displayable(name: str) -> str:
    """Returns the name as we show it: without characters that hide, reverse or cover text."""
    if name.isascii() and name.isprintable():
        return " ".join(name.split())
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", _fewer_marks(name))
        if character in _JOINERS or character.isspace() or not _is_unseen(character)
    )
    return " ".join(kept.split()).strip(_JOINERS)


def ascii_form(text: str) -> str:
    """Returns the text in the ASCII letters and signs that it looks like, if it does.

    In lower case, without marks and invisible characters. ASCII letters stay as they
    are, so that two addresses that differ still differ.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    alike = "".join(map(_as_ascii, _bare(text.translate(_SIGNS))))
    return "".join(map(_as_ascii, _bare(alike.casefold()))).casefold()


def _as_ascii(character: str) -> str:
    return _table().get(character, character)


@lru_cache(maxsize=16_384)  # the domains of the community, message after message
def skeleton(text: str) -> str:
    """Returns a key that is the same for all texts that look alike (UTS #39 §4)."""
    merged = ascii_form(text).translate(_ALIKE)
    return merged.replace("rn", "m").replace("vv", "w")


def word_skeletons(text: str) -> list[str]:
    """Returns the skeletons of the words in a text, without the signs around them."""
    # A bar is kept: it passes for a letter.
    spaced = "".join(c if c.isalnum() or c == "|" else " " for c in ascii_form(text))
    return [skeleton(word) for word in spaced.split()]


def readable_domain(domain: str) -> str:
    """Returns a domain as a person reads it: international labels in their own letters."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def _bare(text: str) -> str:
    """Returns the text decomposed (NFKD), without marks and invisible characters."""
    # Marks are removed before too: NFKD sorts a long run of them in quadratic time.
    first = "".join(c for c in text if not _is_mark_or_unseen(c))
    parts = unicodedata.normalize("NFKD", first)
    return "".join(c for c in parts if not _is_mark_or_unseen(c))


def _is_mark_or_unseen(character: str) -> bool:
    if character.isascii() and character.isprintable():
        return False
    return unicodedata.category(character) in _MARKS or _is_unseen(character)


def _is_unseen(character: str) -> bool:
    if character.isspace():
        return False
    code = ord(character)
    return unicodedata.category(character) in _UNSEEN or any(
        first <= code <= last for first, last in _BLANKS
    )


def _fewer_marks(text: str) -> str:
    """Returns the text with at most MAX_MARKS marks on each letter."""
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """Returns the characters that look like ASCII ones, of Unicode's confusables.

    Read on first use. confusable-homoglyphs keeps pairs, both ways round, and some of
    them between direction marks. Only the two thousand entries that end in ASCII are
    kept in memory.
    """
    table: dict[str, str] = {}
    for written, alike in load("confusables.json").items():
        character = written.strip("\u200e")
        if len(character) != 1 or character.isascii():
            continue
        found = [one["c"] for one in alike if one["c"].isascii()]
        if found:
            table[character] = min(found, key=lambda text: (not text.isalnum(), text))
    return table
