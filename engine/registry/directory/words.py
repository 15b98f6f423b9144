"""Words as the directory keeps and seeks them: folded, without accents or apostrophes.

Siân is found by `sian`, O’Neill by `o'neill`, `oneill` and `neill`, Smith-Jones by either
name and by `smithjones`. A word of the index holds letters and digits only, so that
nothing somebody types can mean anything to the database; a facet begins with `=`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from django.conf import settings

APOSTROPHES = re.compile("['’‘`´＇\u02bc\u2032]")
WORD = re.compile(r"[^\W_]+")
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})
LONGEST_TEXT, LONGEST_WORD = 200, 40  # characters of a question
MOST_WORDS = 8  # of a question


def fold(text: str) -> str:
    """The text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain.casefold().translate(LETTERS)


def kept_words(text: str) -> set[str]:
    """Every word under which a name is found."""
    found: set[str] = set()
    for chunk in text.split():
        found.update(_parts(APOSTROPHES.sub(" ", chunk)))
        without_apostrophes = _parts(APOSTROPHES.sub("", chunk))
        found.update(without_apostrophes)
        found.add("".join(without_apostrophes)[:LONGEST_WORD])
    return found - {""}


def kept_address_words(address: str) -> set[str]:
    """Every word under which an address is found.

    The community's own domain is left out: a word that everybody has finds nobody.
    """
    local, _, domain = address.rpartition("@")
    return set(_parts(local)) | (set(_parts(domain)) - set(_community_labels()))


def asked_words(text: str) -> tuple[str, ...]:
    """The words of a question; each is the beginning of a word to find."""
    asked: dict[str, None] = {}
    for chunk in text[:LONGEST_TEXT].split():
        words = _parts(APOSTROPHES.sub("", chunk))
        if "@" in chunk or "." in chunk:
            words = [word for word in words if not _is_of_community(word)]
        asked.update(dict.fromkeys(words))
    return tuple(asked)[:MOST_WORDS]


def facet(name: str, value: object) -> str:
    """A word that stands for a fact: `=o12` for organisation 12."""
    return f"={name}" + "".join(_parts(str(value)))


def _parts(text: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(text))]


def _is_of_community(word: str) -> bool:
    return any(label.startswith(word) for label in _community_labels())


def _community_labels() -> Iterator[str]:
    yield from _parts(settings.POSTERN.community_domain)
