"""Words that readers use for one thing: a search for one finds the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parent.parent / "content" / "synonyms.txt"


@cache
def _groups() -> dict[str, tuple[str, ...]]:
    """For each word, its whole group. A line of the file is a group, by commas."""
    groups: dict[str, tuple[str, ...]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        words = tuple(word.strip().casefold() for word in line.split(",") if word)
        groups.update(dict.fromkeys(words, words))
    return groups


def of(word: str) -> tuple[str, ...]:
    """The word and what means the same."""
    folded = word.casefold()
    return _groups().get(folded, (folded,))
