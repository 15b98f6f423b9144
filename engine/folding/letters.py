"""Folds letters: without case, accents and strokes, the same for every database."""

from __future__ import annotations

import unicodedata

# Raised with every change of what a text is folded to: a job then writes what the indexes
# hold again (`engine.registry.index_passes`).
VERSION = 1
APOSTROPHE, HYPHEN = "'-"
# What stands for an apostrophe in a name, and what for a hyphen. U+02BB to U+02BE are the
# okina and the marks of transliterated Arabic and Hebrew.
_APOSTROPHES = frozenset(
    "'`´‘’\u201b\uff07\u2032\u02b9\u02bb\u02bc\u02bd\u02beʿ\u02c8\u055a\ua78c"
)
# The middle dot joins too: Catalan writes paral·lel.
_HYPHENS = frozenset("-\u2010\u2011\u2012\u2013\u2212﹣\uff0d\u2043·‧")
_JOINTS = dict.fromkeys(_APOSTROPHES, APOSTROPHE) | dict.fromkeys(_HYPHENS, HYPHEN)
# Letters that Unicode does not take apart and whose names do not tell the base letter.
_BASES = dict(
    zip(
        "æœðþß\u0131ĸŋəƿȷɛɔʒ\u0263",
        ["ae", "oe", "d", "th", "ss", "i", "k", "n", "e", "w", "j", "e", "o", "z", "g"],
        strict=True,
    )
)
_LATIN = "LATIN SMALL LETTER "
# Characters that are remembered: those of many languages, and not all of Unicode.
_REMEMBERED = 20_000
_SPACE = " "


def fold(text: str) -> str:
    """Returns the text without case, accents and strokes, with a space for other signs.

    Keeps letters, digits and, in one form each, apostrophes and hyphens. Łódź becomes
    `lodz`, Þóra `thora`. Takes linear time.
    """
    return text.translate(_table)


class _Table(dict[int, str]):
    """What each character is folded to, found out when it is first met.

    By the character, which the decomposition, the removal of marks and the folding of
    case all are: a whole text would be sorted by its marks in quadratic time.
    """

    def __missing__(self, code: int) -> str:
        found = _folded(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = found
        return found


_table = _Table()


def _folded(character: str) -> str:
    if character in _JOINTS:
        return _JOINTS[character]
    if unicodedata.category(character) == "Cf":
        return ""  # not visible: soft hyphens, joiners, marks of direction
    plain = unicodedata.normalize("NFKD", character.casefold()).casefold()
    parts = (_part(one) for one in unicodedata.normalize("NFKD", plain))
    return "".join(parts)


def _part(character: str) -> str:
    """Returns what is left of one decomposed character in lower case."""
    if character in _JOINTS:
        return _JOINTS[character]
    if character.isascii():
        return character if character.isalnum() else _SPACE
    if unicodedata.combining(character):
        return ""
    if character in _BASES:
        return _BASES[character]
    name = unicodedata.name(character, "")
    if name.startswith(_LATIN):
        # “LATIN SMALL LETTER L WITH STROKE”: ł, and ø, đ, ħ, ŧ, ɨ … alike.
        base, _, rest = name.removeprefix(_LATIN).partition(" WITH ")
        if rest and len(base) == 1:
            return base.lower()
    # Vowel signs of Indic scripts are no letters to Python, and parts of words.
    if character.isalnum() or unicodedata.category(character) in ("Mn", "Mc"):
        return character
    return _SPACE
