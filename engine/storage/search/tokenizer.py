"""Splits text into words without case and accents, the same for both databases."""

from __future__ import annotations

import re
import unicodedata

# The most words of one text, and letters of one word.
MAX_WORDS = 12_000
MAX_LETTERS = 60

_WORD = re.compile(r"[^\W_]+")
_JOINT = re.compile(r"(?<=\w)['\u2019](?=\w)")


def fold(text: str) -> list[str]:
    """Returns the words of a text in lower case without accents; O'Neill is one word."""
    text = _JOINT.sub("", text[: MAX_WORDS * 8])
    # Done here and not by the databases, whose own tokenizers treat accents, apostrophes
    # and case differently.
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [word[:MAX_LETTERS] for word in _WORD.findall(plain)[:MAX_WORDS]]
