"""Splits texts and queries into the words by which one finds the other.

A name is found in whatever way it is joined: O'Neill by any apostrophe, by a space and by
none; Smith-Jones by either name, by both, and written as one. Words have letters and
digits only, so that none is an operator of a database's query language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from engine.folding.letters import APOSTROPHE, HYPHEN, fold

# Letters of one word that count.
MAX_LETTERS = 60
# Words that are joined to one.
MAX_JOINTS = 10
# A space stands for an apostrophe after one of these: O Neill, D Souza.
_PARTICLES = frozenset("odlmn")
_SHORTEST_NAME = 3

# Words of which one must be found; of several such, each.
AnyOf: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two spaces: its words in order, and other ways to write it.

    O'Neill-Smith has the words `oneill` and `smith`. It is also `oneillsmith`, which is
    one word for both, and has the parts `o` and `neill`.
    """

    words: tuple[str, ...]
    as_one: str = ""
    parts: tuple[str, ...] = ()

    @property
    def extra(self) -> tuple[str, ...]:
        """The words by which it is found as well."""
        return (*self.parts, self.as_one) if self.as_one else self.parts


def pieces(text: str) -> Iterator[Piece]:
    """Yields the pieces of a text in order; never raises, and takes linear time."""
    for piece in fold(text).split():
        # Nearly every word of a text.
        if piece.isalnum():
            yield Piece((piece[:MAX_LETTERS],))
        else:
            yield from _jointed(piece)


def index_words(text: str) -> set[str]:
    """Returns every word by which a name is found."""
    found: set[str] = set()
    for piece in spaced(pieces(text)):
        found.update(piece.words, piece.extra)
    return found


def wanted_words(text: str) -> list[AnyOf]:
    """Returns what a query asks for: one word of each is to be found in a name."""
    wanted: dict[AnyOf, None] = {}
    for piece in spaced(pieces(text)):
        joined = (piece.as_one,) if piece.as_one else ()
        wanted.update(dict.fromkeys((word, *joined) for word in piece.words))
    return list(wanted)


def spaced(found: Iterator[Piece]) -> Iterator[Piece]:
    """Adds to `O Neill` that it is also `oneill`.

    The two words remain in their order, because an initial is written as a particle is:
    “D Smith and Sons” has the phrase “Smith and Sons”.
    """
    before: Piece | None = None
    for piece in found:
        if before is not None:
            joined = _after_particle(before, piece)
            yield joined or before
            before = None if joined else piece
        else:
            before = piece
    if before is not None:
        yield before


def _after_particle(particle: Piece, name: Piece) -> Piece | None:
    if particle.words[0] not in _PARTICLES or len(particle.words) > 1:
        return None
    first = name.words[0]
    if len(first) < _SHORTEST_NAME or not first.isalpha():
        return None
    words = (*particle.words, *name.words)
    first = f"{particle.words[0]}{first}"[:MAX_LETTERS]
    return Piece(words, "".join(words)[:MAX_LETTERS], (first, *name.parts))


def _jointed(piece: str) -> Iterator[Piece]:
    words: list[str] = []
    parts: list[str] = []
    for word in piece.split(HYPHEN):
        by_apostrophes = [part[:MAX_LETTERS] for part in word.split(APOSTROPHE) if part]
        if len(by_apostrophes) > MAX_JOINTS:
            words += by_apostrophes
        elif by_apostrophes:
            words.append("".join(by_apostrophes)[:MAX_LETTERS])
        if 1 < len(by_apostrophes) <= MAX_JOINTS:
            parts += by_apostrophes
    if len(words) > MAX_JOINTS:  # no name: a row of numbers, or a drawing
        yield from (Piece((word,)) for word in (*words, *parts))
    elif words:
        as_one = "".join(words)[:MAX_LETTERS] if len(words) > 1 else ""
        yield Piece(tuple(words), as_one, tuple(parts))
