"""Synonyms: a search for one word of a group finds the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parent.parent / "content" / "synonyms.txt"


@cache
def _groups() -> dict[str, tuple[str, ...]]:
    """Returns the group of each word. Each line of the file is a group."""
    groups: dict[str, tuple[str, ...]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        words = tuple(word.strip().casefold() for word in line.split(",") if word)
        groups.update(dict.fromkeys(words, words))
    return groups


def of(word: str) -> tuple[str, ...]:
    """Returns the word and its synonyms."""
    folded = word.casefold()
    return _groups().get(folded, (folded,))
