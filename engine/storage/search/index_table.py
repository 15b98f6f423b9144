"""Reads and writes the index: SQLite's FTS5, or PostgreSQL's tsvector under a GIN index.

Both hold the same words, split by our own folding, so that both find the same messages.
The mailbox is a word too, so that the index itself excludes other people's messages. A
message of one piece is in one table, nearly every one is; the pieces of a longer one are in
another, where a query has to look for each of its words on its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice

from django.db import connection

from engine.storage.models import GapReason, SearchGap
from engine.storage.search.document import Document
from engine.storage.search.pieces import GAP, FieldWords, Words

TABLE = "storage_search"
PIECES = "storage_search_pieces"
FIELDS = list(Words)

# Pieces written by one statement, and the share of a rowid that numbers them (SQLite).
AT_ONCE = 50
NUMBERS = 2048


def is_sqlite() -> bool:
    """Returns whether the index is SQLite's."""
    return connection.vendor == "sqlite"


def key_column() -> str:
    """Returns the column with the message's id."""
    return "rowid" if is_sqlite() else "message_id"


def mailbox_word(mailbox_id: int) -> str:
    """Returns the word that stands for a mailbox; no text has it by chance."""
    return f"mailbox{mailbox_id}mailbox"


def put(document: Document) -> None:
    """Writes a document into the index, replacing an earlier version.

    A few pieces at a time: a long document need not be in memory, nor be one transaction.
    A search in between finds some of its words.
    """
    # First, because the INSERT below does not replace a document that is there already.
    forget([document.message_id])
    pieces = document.pieces()
    start = list(islice(pieces, 2))
    if len(start) < 2:
        _insert(TABLE, [_row(document, start[0])])
    else:
        rows = (
            _numbered_row(document, number, piece)
            for number, piece in enumerate(chain(start, pieces))
        )
        while some := list(islice(rows, AT_ONCE)):
            _insert(PIECES, some)
    if document.gap is not None:
        note_gap(document.message_id, document.mailbox_id, document.gap)


def note_gap(message_id: int, mailbox_id: int, reason: GapReason) -> None:
    """Records that not all words of a message are in the index."""
    facts = {"mailbox_id": mailbox_id, "reason": reason}
    SearchGap.objects.update_or_create(message_id=message_id, defaults=facts)


def forget(message_ids: Collection[int]) -> None:
    """Removes these messages from the index."""
    if is_sqlite():
        long = "rowid BETWEEN %s AND %s"
        spans = [(pk * NUMBERS, pk * NUMBERS + NUMBERS - 1) for pk in message_ids]
    else:
        long = "message_id BETWEEN %s AND %s"
        spans = [(pk, pk) for pk in message_ids]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {TABLE} WHERE {key_column()} = %s",  # noqa: S608
            [(message_id,) for message_id in message_ids],
        )
        cursor.executemany(f"DELETE FROM {PIECES} WHERE {long}", spans)  # noqa: S608
    SearchGap.objects.filter(message_id__in=message_ids).delete()


def _insert(table: str, rows: Sequence[Sequence[int | str]]) -> None:
    if is_sqlite():
        names, marks = ["rowid", *FIELDS, "mailbox"], ["%s"] * (len(FIELDS) + 2)
    elif table == TABLE:
        names, marks = ["message_id", "words"], ["%s", "%s::tsvector"]
    else:
        names, marks = ["message_id", "number", "words"], ["%s", "%s", "%s::tsvector"]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(marks)})",  # noqa: S608
            rows,
        )


def _row(document: Document, piece: FieldWords) -> list[int | str]:
    if is_sqlite():
        return [document.message_id, *_texts(document, piece)]
    return [document.message_id, _vector(document, piece)]


def _numbered_row(
    document: Document, number: int, piece: FieldWords
) -> list[int | str]:
    if is_sqlite():
        return [document.message_id * NUMBERS + number, *_texts(document, piece)]
    return [document.message_id, number, _vector(document, piece)]


def _texts(document: Document, piece: FieldWords) -> Iterator[str]:
    yield from (" ".join(piece[name]) for name in FIELDS)
    yield mailbox_word(document.mailbox_id)


def _vector(document: Document, piece: FieldWords) -> str:
    """Returns the tsvector's text form; words need no quoting inside the quotes."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    places[mailbox_word(document.mailbox_id)] = [1]
    position = 0
    for name, words in piece.items():
        for word in words:
            position += 1
            if word == GAP:
                continue
            places[word].append(position)
            if name is not Words.TEXT:
                places[f"{name}={word}"].append(position)
        position += 10  # a phrase does not run from one field into the next
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())
