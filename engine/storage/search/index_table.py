"""Reads and writes the index: SQLite's FTS5, or PostgreSQL's tsvector under a GIN index.

Both hold the same words, split by our own tokenizer, so that both find the same messages.
The mailbox is a word too, so that the index itself excludes other people's messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from django.db import connection

from engine.storage.search.document import Document, Words

TABLE = "storage_search"
FIELDS = list(Words)

# The last position that a tsvector can store.
MAX_POSITION = 16_383
# Octets of words in one tsvector; with positions it may hold twice as much.
MAX_OCTETS = 500_000


def is_sqlite() -> bool:
    """Returns whether the index is SQLite's."""
    return connection.vendor == "sqlite"


def key_column() -> str:
    """Returns the column with the message's id."""
    return "rowid" if is_sqlite() else "message_id"


def mailbox_word(mailbox_id: int) -> str:
    """Returns the word that stands for a mailbox; no text has it by chance."""
    return f"mailbox{mailbox_id}mailbox"


def put(documents: Sequence[Document]) -> None:
    """Writes documents into the index, replacing earlier versions."""
    # First, because the INSERT below does not replace a document that is there already.
    forget([document.message_id for document in documents])
    if is_sqlite():
        marks = ", ".join(["%s"] * (len(FIELDS) + 2))
        names = ", ".join(["rowid", *FIELDS, "mailbox"])
        rows = [_texts(document) for document in documents]
    else:
        names, marks = "message_id, words", "%s, %s::tsvector"
        rows = [[document.message_id, _vector(document)] for document in documents]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} ({names}) VALUES ({marks})", rows)  # noqa: S608


def forget(message_ids: Collection[int]) -> None:
    """Removes these messages from the index."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {TABLE} WHERE {key_column()} = %s",  # noqa: S608
            [(message_id,) for message_id in message_ids],
        )


def _texts(document: Document) -> list[int | str]:
    fields = [" ".join(document.words[name]) for name in FIELDS]
    return [document.message_id, *fields, mailbox_word(document.mailbox_id)]


def _vector(document: Document) -> str:
    """Returns the tsvector's text form.

    Words consist of letters and digits only, so nothing needs quoting. Words beyond the
    limit are left out, those at the end of the text first.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    places[mailbox_word(document.mailbox_id)] = [1]
    position = 0
    for name, words in document.words.items():
        for word in words:
            position += 1
            at = min(position, MAX_POSITION)
            places[word].append(at)
            if name is not Words.TEXT:
                places[f"{name}={word}"].append(at)
        position += 10  # a phrase does not run from one field into the next
    return " ".join(
        # PostgreSQL stores at most 256 positions of one word.
        f"'{word}':{','.join(map(str, at[:250]))}"
        for word, at in _fitting(places)
    )


def _fitting(places: dict[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    room = MAX_OCTETS
    for word, at in places.items():
        room -= len(word.encode()) + 8  # what PostgreSQL needs to find it
        if room < 0:
            return
        yield word, at
