"""Alphabetical ids: an entry's primary key sorts as its name does.

Both databases return rows in the order of their primary key without sorting, while
sorting ten thousand Smiths costs time at every search. The upper part of the number is
made of nine letters of the name; the lower part tells apart the entries that share them.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable

from engine.registry.directory.tokeniser import sort_words
from engine.registry.models import EntryKind

LETTERS = 9
BASE = 28  # a space, a to z, and one digit for every other character
ROOM = 2**19  # entries that share nine letters; 28**9 * 2**19 is below 2**63


def alphabetical_id(
    kind: str, name: str, row_id: int, *, is_taken: Callable[[int], bool]
) -> int:
    """Returns a free id at the name's place in the alphabet.

    People are sorted by last name. `is_taken` says whether another entry has an id.
    """
    lowest = _place(kind, name) * ROOM
    # Namesakes begin at scattered places, so that few ids have to be tried.
    start = crc32(f"{kind}{row_id}".encode()) % ROOM
    step = 0
    while is_taken(lowest + (start + step) % ROOM):
        step += 1
    return lowest + (start + step) % ROOM


def stands_at_its_place(kind: str, name: str, entry_id: int) -> bool:
    """Whether an entry's id is one of those at its name's place in the alphabet."""
    return entry_id // ROOM == _place(kind, name)


def _place(kind: str, name: str) -> int:
    return _number_of(_sort_text(kind, name))


def _sort_text(kind: str, name: str) -> str:
    words = sort_words(name)
    if kind == EntryKind.PERSON:
        words = words[-1:] + words[:-1]
    return " ".join(words)


def _number_of(text: str) -> int:
    """The first letters of the text, as a number to the base BASE."""
    number = 0
    for at in range(LETTERS):
        number = number * BASE + _digit(text[at : at + 1] or " ")
    return number


def _digit(letter: str) -> int:
    if letter == " ":
        return 0
    return ord(letter) - ord("a") + 1 if "a" <= letter <= "z" else BASE - 1
