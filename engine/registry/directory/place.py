"""The place of an entry in the alphabet, as a number that is its id.

Both databases find rows in the order of their ids for nothing, and sort ten thousand
Smiths only at a cost. Nine letters make the upper part of the number; the lower part
tells apart those who share them.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable

from engine.registry.directory.words import fold
from engine.registry.models import EntryKind

LETTERS = 9
BASE = 28  # a space, a to z, and whatever else
ROOM = 2**19  # entries that share nine letters; 28**9 * 2**19 is below 2**63


def place(kind: str, name: str, row_id: int, *, is_taken: Callable[[int], bool]) -> int:
    """A free id at the name's place. People stand under their last name."""
    lowest = _letters(_sorted_by(kind, name)) * ROOM
    start = crc32(f"{kind}{row_id}".encode()) % ROOM
    step = 0
    while is_taken(lowest + (start + step) % ROOM):
        step += 1
    return lowest + (start + step) % ROOM


def _sorted_by(kind: str, name: str) -> str:
    words = fold(name).split()
    if kind == EntryKind.PERSON:
        words = words[-1:] + words[:-1]
    return " ".join(words)


def _letters(text: str) -> int:
    number = 0
    for at in range(LETTERS):
        number = number * BASE + _digit(text[at : at + 1] or " ")
    return number


def _digit(letter: str) -> int:
    if letter == " ":
        return 0
    return ord(letter) - ord("a") + 1 if "a" <= letter <= "z" else BASE - 1
