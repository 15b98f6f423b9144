"""Synonyms: a search for one word of a group finds the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from engine.folding.words import pieces

FILE = Path(__file__).parent.parent / "content" / "synonyms.txt"


@cache
def _groups() -> dict[str, tuple[str, ...]]:
    """Returns the group of each word, folded. Each line of the file is a group."""
    groups: dict[str, tuple[str, ...]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        # E-mail is one word here: its parts mean something else.
        words = tuple(
            piece.as_one or piece.words[0]
            for word in line.split(",")
            for piece in pieces(word)
        )
        groups.update(dict.fromkeys(words, words))
    return groups


def of(word: str) -> tuple[str, ...]:
    """Returns a folded word and its synonyms."""
    return _groups().get(word, (word,))
