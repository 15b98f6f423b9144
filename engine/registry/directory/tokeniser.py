"""Tokenises names, addresses and queries for the word index.

Names are folded as for every search (`engine.folding`). A token has letters and digits
only, so that nothing typed into the search box can be an operator of the database's query
language; a facet begins with `=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.conf import settings

from engine.folding.words import AnyOf, index_words, pieces, wanted_words

# Limits of a query: characters of the text, and words.
LONGEST_TEXT = 200
MOST_WORDS = 8


def sort_words(name: str) -> list[str]:
    """Returns the words of a name by which it is sorted; O'Neill is one."""
    return ["".join(piece.words) for piece in pieces(name)]


def index_tokens(text: str) -> set[str]:
    """Returns every token by which a name is found."""
    return index_words(text)


def address_tokens(address: str) -> set[str]:
    """Returns every token by which an address is found.

    Without those of the community's own domain: every entry has them, so they would
    only make the index longer.
    """
    local, _, domain = address.rpartition("@")
    return index_words(local) | (index_words(domain) - set(_community_labels()))


def query_tokens(text: str) -> tuple[AnyOf, ...]:
    """Returns what a query asks for: of each group one token is the prefix of one to find."""
    text = text[:LONGEST_TEXT]
    # In a pasted address the community's domain must not narrow the search to nothing,
    # since address_tokens leaves it out.
    left_out = {
        word
        for chunk in text.split()
        if "@" in chunk or "." in chunk
        for word in chain.from_iterable(piece.words for piece in pieces(chunk))
        if _begins_community_label(word)
    }
    wanted = (group for group in wanted_words(text) if not left_out.intersection(group))
    return tuple(wanted)[:MOST_WORDS]


def facet(name: str, value: object) -> str:
    """Returns the token for a fact: `=o12` for organisation 12."""
    return f"={name}" + "".join(sort_words(str(value)))


def _begins_community_label(word: str) -> bool:
    return any(label.startswith(word) for label in _community_labels())


def _community_labels() -> Iterator[str]:
    yield from index_words(settings.POSTERN.community_domain)
