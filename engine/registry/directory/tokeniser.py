"""Tokenises names, addresses and queries for the word index.

Text is folded: without case, accents and apostrophes. Siân is found by `sian`, O’Neill
by `o'neill`, `oneill` and `neill`, Smith-Jones by either name and by `smithjones`. A
token has letters and digits only, so that nothing typed into the search box can be an
operator of the database's query language; a facet begins with `=`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from django.conf import settings

APOSTROPHES = re.compile("['’‘`´＇\u02bc\u2032]")
WORD = re.compile(r"[^\W_]+")
# Letters that NFKD does not take apart into a base letter and a mark.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})
# Limits of a query: characters of the text and of a token, and tokens.
LONGEST_TEXT, LONGEST_WORD = 200, 40
MOST_WORDS = 8


def fold(text: str) -> str:
    """Returns the text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain.casefold().translate(LETTERS)


def index_tokens(text: str) -> set[str]:
    """Returns every token by which a name is found."""
    found: set[str] = set()
    for chunk in text.split():
        found.update(_tokens(APOSTROPHES.sub(" ", chunk)))
        without_apostrophes = _tokens(APOSTROPHES.sub("", chunk))
        found.update(without_apostrophes)
        found.add("".join(without_apostrophes)[:LONGEST_WORD])
    return found - {""}


def address_tokens(address: str) -> set[str]:
    """Returns every token by which an address is found.

    Without those of the community's own domain: every entry has them, so they would
    only make the index longer.
    """
    local, _, domain = address.rpartition("@")
    return set(_tokens(local)) | (set(_tokens(domain)) - set(_community_labels()))


def query_tokens(text: str) -> tuple[str, ...]:
    """Returns the tokens of a query; each is a prefix of a token to find."""
    wanted: dict[str, None] = {}
    for chunk in text[:LONGEST_TEXT].split():
        words = _tokens(APOSTROPHES.sub("", chunk))
        # In a pasted address the community's domain must not narrow the search to
        # nothing, since address_tokens leaves it out.
        if "@" in chunk or "." in chunk:
            words = [word for word in words if not _begins_community_label(word)]
        wanted.update(dict.fromkeys(words))
    return tuple(wanted)[:MOST_WORDS]


def facet(name: str, value: object) -> str:
    """Returns the token for a fact: `=o12` for organisation 12."""
    return f"={name}" + "".join(_tokens(str(value)))


def _tokens(text: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(text))]


def _begins_community_label(word: str) -> bool:
    return any(label.startswith(word) for label in _community_labels())


def _community_labels() -> Iterator[str]:
    yield from _tokens(settings.POSTERN.community_domain)
