"""Text as search sees it: words without case and accents, the same in both databases."""

from __future__ import annotations

import re
import unicodedata

# Words kept of one text, and letters kept of one word.
MAX_WORDS = 12_000
MAX_LETTERS = 60

_WORD = re.compile(r"[^\W_]+")
_JOINT = re.compile(r"(?<=\w)['\u2019](?=\w)")


def fold(text: str) -> list[str]:
    """The words of a text: small letters, no accents; O'Neill is one word."""
    text = _JOINT.sub("", text[: MAX_WORDS * 8])
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [word[:MAX_LETTERS] for word in _WORD.findall(plain)[:MAX_WORDS]]
