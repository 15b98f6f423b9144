"""Parses what a person typed into the search box, or raises a sentence to show.

hearing "not before 10:00" from:jane to:listing has:attachment is:unread
in:archive before:2026-11-23 larger:5M filename:bundle -draft osei OR lindqvist
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.folding.words import Piece, pieces, spaced
from engine.storage.search.pieces import Words

MAX_LENGTH = 500
MAX_TERMS = 30

_TOKEN = re.compile(
    r'\s*(?P<minus>-)?(?:(?P<name>[A-Za-z]{2,12}):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_SIZE = re.compile(r"(\d{1,9})\s*([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y")

FIELDS = {
    "from": Words.SENDER,
    "to": Words.RECIPIENTS,
    "cc": Words.COPIES,
    "subject": Words.SUBJECT,
    "filename": Words.FILES,
}


class QueryError(ValueError):
    """A search that cannot be parsed; the message says what to type instead."""


@dataclass(frozen=True, slots=True)
class Term:
    """Adjacent words, in one field or anywhere."""

    words: tuple[str, ...]
    field: Words | None = None
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """Terms of which at least one must be found; none, if negated."""

    terms: tuple[Term, ...]
    is_negated: bool = False


@dataclass(slots=True)
class Query:
    """A parsed search, all of whose conditions must hold. None means no condition."""

    clauses: list[Clause] = field(default_factory=list)
    folder: str | None = None
    label: str | None = None
    is_read: bool | None = None
    is_flagged: bool | None = None
    is_answered: bool | None = None
    has_attachments: bool | None = None
    since: date | None = None
    before: date | None = None
    larger: int | None = None
    smaller: int | None = None

    @property
    def asks_for_words(self) -> bool:
        """Whether a word must be found, so that the index is needed."""
        return any(not clause.is_negated for clause in self.clauses)


def parse(text: str) -> Query:
    """Parses a search. Raises QueryError."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"Search for at most {MAX_LENGTH} characters at a time.")
    tokens = list(_TOKEN.finditer(text.replace("\0", " ")))
    if len(tokens) > MAX_TERMS:
        raise QueryError(f"Search for at most {MAX_TERMS} words at a time.")
    query = Query()
    joins = False
    before: Piece | None = None
    for token in tokens:
        if token["word"] == "OR" and not token["minus"] and not token["name"]:
            joins, before = True, None
            continue
        _take(query, token, joins=joins)
        before = _after_particle(query, before, _plain(token)) if not joins else None
        joins = False
    if joins:
        raise QueryError("Type a word after OR.")
    return query


def _plain(token: re.Match[str]) -> Piece | None:
    """Returns a word that stands for itself alone; None for anything else."""
    if token["minus"] or token["name"] or token["word"] is None:
        return None
    found = [] if token["word"].endswith("*") else list(pieces(token["word"]))
    return found[0] if len(found) == 1 else None


def _after_particle(
    query: Query, before: Piece | None, piece: Piece | None
) -> Piece | None:
    """Has `O Neill` find `ONeill` too; returns the piece that the next may follow."""
    if before is None or piece is None:
        return piece
    joined = next(spaced(iter((before, piece))))
    if not joined.as_one or joined.as_one == before.as_one:
        return piece
    for at in (-2, -1):
        terms = query.clauses[at].terms
        query.clauses[at] = Clause((*terms, Term((joined.as_one,))))
    return None


def _take(query: Query, token: re.Match[str], *, joins: bool) -> None:
    """Adds a token to the query; with `joins`, as an alternative to the last one."""
    name = (token["name"] or "").lower()
    value = token["word"] if token["phrase"] is None else token["phrase"]
    negated = bool(token["minus"])
    if name in FACTS:
        if joins:
            raise QueryError(f"Type OR between words, not before {name}:.")
        FACTS[name](query, value, negated)
        return
    wanted = FIELDS.get(name)
    if name and wanted is None:
        value = (
            f"{name} {value}"  # an unknown name before a colon is text, not an operator
        )
    found = list(spaced(pieces(value)))
    if not found:
        return
    is_prefix = token["phrase"] is None and value.endswith("*")
    terms = tuple(Term(words, wanted, is_prefix) for words in _spellings(found))
    _add(query, terms, negated=negated, joins=joins)


def _spellings(found: list[Piece]) -> Iterable[tuple[str, ...]]:
    """Returns the ways to write adjacent words: `smith jones`, and `smithjones`."""
    apart = tuple(word for piece in found for word in piece.words)
    joined = tuple(
        word
        for piece in found
        for word in ((piece.as_one,) if piece.as_one else piece.words)
    )
    return dict.fromkeys((apart, joined))


def _add(query: Query, terms: tuple[Term, ...], *, negated: bool, joins: bool) -> None:
    if not joins:
        query.clauses.append(Clause(terms, negated))
        return
    last = query.clauses[-1] if query.clauses else None
    if last is None or last.is_negated or negated:
        raise QueryError("Type OR between two words that you want to find.")
    query.clauses[-1] = Clause((*last.terms, *terms))


def _has(query: Query, value: str, negated: bool) -> None:
    if value.lower() not in ("attachment", "attachments", "file"):
        raise QueryError("After has: type attachment.")
    query.has_attachments = not negated


def _is(query: Query, value: str, negated: bool) -> None:
    states = {
        "read": ("is_read", True),
        "unread": ("is_read", False),
        "flagged": ("is_flagged", True),
        "answered": ("is_answered", True),
    }
    if value.lower() not in states:
        raise QueryError("After is: type unread, read, flagged or answered.")
    name, holds = states[value.lower()]
    setattr(query, name, holds is not negated)


def _in(query: Query, value: str, negated: bool) -> None:
    if negated:
        raise QueryError(
            "Leave out the minus before in:, and name the folder to look in."
        )
    query.folder = value.strip()


def _label(query: Query, value: str, negated: bool) -> None:
    _refuse_minus("label", negated)
    query.label = value.strip()


def _date(value: str, name: str) -> date:
    for form in _DATES:
        try:
            return datetime.strptime(value, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise QueryError(f"After {name}: type a date such as 2026-11-23.")


def _before(query: Query, value: str, negated: bool) -> None:
    _refuse_minus("before", negated)
    query.before = _date(value, "before")


def _after(query: Query, value: str, negated: bool) -> None:
    _refuse_minus("after", negated)
    query.since = _date(value, "after")


def _size(value: str, name: str) -> int:
    found = _SIZE.fullmatch(value)
    if not found:
        raise QueryError(f"After {name}: type a size such as 500k or 5M.")
    return int(found[1]) * _UNITS[found[2].lower()]


def _larger(query: Query, value: str, negated: bool) -> None:
    _refuse_minus("larger", negated)
    query.larger = _size(value, "larger")


def _smaller(query: Query, value: str, negated: bool) -> None:
    _refuse_minus("smaller", negated)
    query.smaller = _size(value, "smaller")


def _refuse_minus(name: str, negated: bool) -> None:
    if negated:
        raise QueryError(f"Leave out the minus before {name}:.")


FACTS: dict[str, Callable[[Query, str, bool], Any]] = {
    "has": _has,
    "is": _is,
    "in": _in,
    "label": _label,
    "before": _before,
    "after": _after,
    "larger": _larger,
    "smaller": _smaller,
}
