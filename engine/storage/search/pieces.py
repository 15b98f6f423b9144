"""Divides the words of a message into pieces, each of which is one row of the index.

Both databases get the same pieces, within what a tsvector holds (PostgreSQL 16 §8.11.1):
so they find the same messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias

from engine.folding.words import Piece, pieces, spaced

# Words of one piece, and their octets: a tsvector holds a megabyte, positions included.
PIECE_WORDS = 4_000
PIECE_OCTETS = 300_000
# Words that the next piece repeats, so that a phrase is found that the cut divides.
OVERLAP = 30
# Positions of one word that a tsvector keeps in one row; so frequent a word is found all
# the same, but not in every phrase.
MAX_POSITIONS = 250
# A message's pieces: eight million words.
MAX_PIECES = 2_000
# Stands where a phrase must not run on. No word has it.
GAP = "\ue000"


class Words(StrEnum):
    """The fields that can be searched on their own."""

    SUBJECT = "subject"
    SENDER = "sender"
    RECIPIENTS = "recipients"
    COPIES = "copies"
    FILES = "files"
    TEXT = "text"


FieldWords: TypeAlias = dict[Words, list[str]]
Texts: TypeAlias = Iterable[tuple[Words, str]]


def divide(texts: Texts) -> Iterator[FieldWords]:
    """Yields the words of each piece, by field: at least one, which may be empty.

    `texts` are the texts of a message in order, each with its field; a long one may come
    in several, divided at a space.
    """
    piece = _Piece()
    for field, text in texts:
        piece.pause(field)
        for found in spaced(pieces(text)):
            if piece.is_full:
                yield piece.words()
                piece = piece.following(field)
            piece.add(field, found)
    yield piece.words()


class _Piece:
    def __init__(self) -> None:
        self._words: FieldWords = {field: [] for field in Words}
        # Other ways to write a word, at the field's end: in their places they would divide
        # phrases.
        self._extra: FieldWords = {field: [] for field in Words}
        self._count = Counter[str]()
        self._left = PIECE_WORDS
        self._octets = PIECE_OCTETS

    @property
    def is_full(self) -> bool:
        return self._left <= 0 or self._octets <= 0

    def pause(self, field: Words) -> None:
        """Ends what is a phrase, between two texts of a field."""
        if self._words[field]:
            self._words[field].append(GAP)
            self._left -= 1

    def add(self, field: Words, found: Piece) -> None:
        self._words[field] += map(self._counted, found.words)
        for word in found.extra:
            if self._counted(word) is word:
                self._extra[field].append(word)

    def following(self, field: Words) -> _Piece:
        """Returns the next piece, which begins with the last words of this one."""
        piece = _Piece()
        for word in self._words[field][-OVERLAP:]:
            piece._words[field].append(GAP if word == GAP else piece._counted(word))
        return piece

    def words(self) -> FieldWords:
        return {
            field: [*words, *([GAP, *extra] if (extra := self._extra[field]) else ())]
            for field, words in self._words.items()
        }

    def _counted(self, word: str) -> str:
        """Returns the word, or a gap in its place where it is too frequent."""
        self._left -= 1
        self._octets -= len(word.encode()) + 16  # what PostgreSQL needs to find it
        self._count[word] += 1
        return word if self._count[word] <= MAX_POSITIONS else GAP
