"""What a name looks like, whatever characters it is made of (UTS #39)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import idna
from confusable_homoglyphs.utils import load

# A name with more marks on one letter covers the lines above and below it: Vietnamese
# needs two, Hebrew with cantillation three.
MAX_MARKS = 3

# Not seen, though no format characters to Unicode (Default_Ignorable_Code_Point and the
# blank of Braille), by first and last.
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
# Needed by Persian and Indic writing, and within emoji; harmless between such.
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_MARKS = frozenset(["Mn", "Me", "Mc"])
_UNSEEN = frozenset(["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"])

# What NFKD and the table leave, and a reader takes for a sign of an address.
_SIGNS = {
    **dict.fromkeys(map(ord, "\u3002\u00b7\u2027\u2219\u22c5\u30fb\u2022"), "."),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
}
# Typefaces differ in which of these look different: one stands for all.
_ALIKE = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o", "5": "s"})


def shown(name: str) -> str:
    """The name as we show it: nothing unseen, nothing that turns or covers other text."""
    if name.isascii() and name.isprintable():
        return " ".join(name.split())
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", _fewer_marks(name))
        if character in _JOINERS or character.isspace() or not _is_unseen(character)
    )
    return " ".join(kept.split()).strip(_JOINERS)


def plain(text: str) -> str:
    """The text in the ASCII letters and signs that it looks like, as far as it does.

    In lower case, without marks and without anything unseen. ASCII letters stay what
    they are, so that two addresses that differ still differ.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    alike = "".join(map(_as_ascii, _bare(text.translate(_SIGNS))))
    return "".join(map(_as_ascii, _bare(alike.casefold()))).casefold()


def _as_ascii(character: str) -> str:
    return _table().get(character, character)


@lru_cache(maxsize=16_384)  # the domains of the community, message after message
def skeleton(text: str) -> str:
    """The same for all texts that a reader may take for one another."""
    merged = plain(text).translate(_ALIKE)
    return merged.replace("rn", "m").replace("vv", "w")


def words(text: str) -> list[str]:
    """The skeletons of its words, without the signs around them."""
    # A bar is no sign: it passes for a letter.
    spaced = "".join(c if c.isalnum() or c == "|" else " " for c in plain(text))
    return [skeleton(word) for word in spaced.split()]


def readable_label(domain: str) -> str:
    """A domain as a person reads it: international labels in their own letters."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def _bare(text: str) -> str:
    """Decomposed, and without marks and whatever is not seen."""
    # Marks go before: putting a long run of them in order takes quadratic time.
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
    """The text with a few marks on each letter, so that they stay in its line."""
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
    """Characters that look like ASCII ones, of Unicode's confusables; read on first use.

    The library keeps pairs, both ways round, and some between direction marks.
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
