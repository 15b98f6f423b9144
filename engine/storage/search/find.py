"""Finds messages, newest first, with one statement on either database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from engine import calendar_days
from engine.folding.words import pieces
from engine.registry.models import Mailbox
from engine.storage.models import Folder, FolderRole, Message
from engine.storage.organising import labels
from engine.storage.search import index_table
from engine.storage.search.query_parser import Clause, Query, QueryError, Term

Condition = tuple[str, Any]
# in:anywhere searches all folders, including those that are otherwise left out.
EVERYWHERE = "anywhere"
NO_INDEX = (
    "Your organisation keeps no search index, so that words cannot be searched for. "
    "You can still search by is:, has:, in:, before:, after:, larger: and smaller:."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the messages found, and whether older ones follow."""

    messages: list[Message]
    has_older: bool


def find(
    query: Query,
    mailbox: Mailbox,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
    folders: Sequence[Folder] | None = None,
) -> Found:
    """Returns the newest messages of a mailbox that match the query.

    `folders` are all those of the mailbox, where they are loaded already.

    `before` is the id of the last message of the previous page. With `after`, the messages
    next newer than that id are found, and `has_older` says whether newer ones follow.
    Deleted and Junk are left out unless the query names a folder. Raises QueryError for an
    unknown folder, and for words where the organisation keeps no index.
    """
    if query.clauses and not mailbox.organisation.indexes_mail:
        raise QueryError(NO_INDEX)
    if folders is None:
        folders = list(Folder.objects.filter(mailbox=mailbox))
    conditions = list(_conditions(query, mailbox, folders))
    bound = _Bound(before if after is None else after, after is not None)
    ids = _ids(query, mailbox, conditions, bound, limit + 1)
    rows = Message.objects.filter(pk__in=ids).select_related("folder")
    nearest = list(rows.order_by("pk" if bound.is_upwards else "-pk")[: limit + 1])
    found = sorted(nearest[:limit], key=lambda one: one.pk, reverse=True)
    return Found(found, len(nearest) > limit)


@dataclass(frozen=True, slots=True)
class _Bound:
    """The id at which a page begins, and whether it goes on to newer ones."""

    at: int | None
    is_upwards: bool


def _ids(
    query: Query,
    mailbox: Mailbox,
    conditions: list[Condition],
    bound: _Bound,
    limit: int,
) -> RawSQL:
    """Returns a statement for the ids of the nearest messages, more than once some."""
    if not query.clauses:
        pieces = [_select("storage_message m", "m.id", conditions, bound, limit)]
    else:
        # By the index's own key, in whose order FTS5 returns matches without sorting them.
        key = f"s.{index_table.key_column()}"
        tables = f"{index_table.TABLE} s JOIN storage_message m ON m.id = {key}"
        short = [_match(query, mailbox), *conditions]
        long = [*_each_match(query, mailbox), *conditions]
        # A message that is being indexed again may be in both.
        pieces = [
            _select(tables, key, short, bound, limit),
            _select("storage_message m", "m.id", long, bound, limit),
        ]
    listed = (
        f"SELECT * FROM ({text}) AS piece{place}"  # noqa: S608
        for place, (text, _) in enumerate(pieces)
    )
    values = [value for _, given in pieces for value in given]
    return RawSQL(" UNION ".join(listed), values)  # noqa: S611


def _select(
    tables: str,
    order: str,
    conditions: list[Condition],
    bound: _Bound,
    limit: int,
) -> tuple[str, list[Any]]:
    compared, order_by = (">", "ASC") if bound.is_upwards else ("<", "DESC")
    if bound.at is not None:
        # Of the index's key too: from the join alone PostgreSQL does not infer where to
        # begin, and reads the index from its newest message.
        conditions = [*conditions, (f"{order} {compared} %s", bound.at)]
    where = " AND ".join(text for text, _ in conditions)
    return (
        f"SELECT m.id FROM {tables} WHERE {where} ORDER BY {order} {order_by} LIMIT %s",  # noqa: S608
        [*(value for _, value in conditions), limit],
    )


def _match(query: Query, mailbox: Mailbox) -> Condition:
    # The mailbox is a word of every document: without it a common word would first find
    # every member's messages.
    own = index_table.mailbox_word(mailbox.pk)
    if index_table.is_sqlite():
        wanted = [f'mailbox : "{own}"', *(_fts5(c) for c in _wanted(query))]
        text = " AND ".join(wanted)
        for clause in _unwanted(query):
            text = f"({text}) NOT {_fts5(clause)}"
        return f"{index_table.TABLE} MATCH %s", text
    parts = [f"'{own}'", *(_tsquery(c) for c in _wanted(query))]
    parts += [f"!{_tsquery(clause)}" for clause in _unwanted(query)]
    return "s.words @@ %s::tsquery", " & ".join(parts)


def _each_match(query: Query, mailbox: Mailbox) -> Iterator[Condition]:
    """Yields a condition for each clause: different pieces of a message may fulfil them."""
    sqlite = index_table.is_sqlite()
    id_of, holds = (
        (f"rowid / {index_table.NUMBERS}", f"{index_table.PIECES} MATCH %s")
        if sqlite
        else ("message_id", "words @@ %s::tsquery")
    )
    rows = f"(SELECT {id_of} FROM {index_table.PIECES} WHERE {holds})"  # noqa: S608
    word = index_table.mailbox_word(mailbox.pk)
    own = f'mailbox : "{word}"' if sqlite else f"'{word}'"
    yield f"m.id IN {rows}", own
    for clause in query.clauses:
        text = f"{own} AND {_fts5(clause)}" if sqlite else f"{own} & {_tsquery(clause)}"
        yield f"m.id {'NOT IN' if clause.is_negated else 'IN'} {rows}", text


def _wanted(query: Query) -> Iterator[Clause]:
    return (clause for clause in query.clauses if not clause.is_negated)


def _unwanted(query: Query) -> Iterator[Clause]:
    return (clause for clause in query.clauses if clause.is_negated)


def _fts5(clause: Clause) -> str:
    # Words consist of letters and digits only, so nothing in them acts as an operator.
    return f"({' OR '.join(map(_fts5_term, clause.terms))})"


def _fts5_term(term: Term) -> str:
    text = f'"{" ".join(term.words)}"{"*" if term.is_prefix else ""}'
    columns = term.field or f"{{{' '.join(index_table.FIELDS)}}}"
    return f"{columns} : {text}"


def _tsquery(clause: Clause) -> str:
    return f"({' | '.join(map(_tsquery_term, clause.terms))})"


def _tsquery_term(term: Term) -> str:
    prefix = f"{term.field}=" if term.field else ""
    words = [f"'{prefix}{word}'" for word in term.words]
    if term.is_prefix:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"


def _conditions(
    query: Query, mailbox: Mailbox, folders: Sequence[Folder]
) -> Iterator[Condition]:
    yield "m.mailbox_id = %s", mailbox.pk
    yield _folders(query, folders)
    if query.label is not None:
        yield _labelled(query.label, mailbox)
    facts = {
        "m.is_read = %s": query.is_read,
        "m.is_flagged = %s": query.is_flagged,
        "m.is_answered = %s": query.is_answered,
        "m.has_attachments = %s": query.has_attachments,
        "m.size > %s": query.larger,
        "m.size < %s": query.smaller,
        "m.received_at >= %s": _midnight(query.since),
        "m.received_at < %s": _midnight(query.before),
    }
    yield from ((text, value) for text, value in facts.items() if value is not None)


def _folders(query: Query, folders: Sequence[Folder]) -> Condition:
    wanted = (query.folder or "").casefold()
    if query.folder is None:
        waste = (FolderRole.TRASH, FolderRole.JUNK)
        return _outside([f.pk for f in folders if f.role in waste])
    if wanted == EVERYWHERE:
        return _outside([])
    chosen = [f.pk for f in folders if wanted in (f.name.casefold(), f.role)]
    if not chosen and (key := _folded(wanted)):
        chosen = [f.pk for f in folders if _folded(f.name) == key]
    if not chosen or wanted == FolderRole.CUSTOM:
        raise QueryError(
            f"No folder is called “{query.folder}”. Put a name of several words"
            ' in quotes: in:"my cases".'
        )
    return "m.folder_id = %s", chosen[0]


def _labelled(name: str, mailbox: Mailbox) -> Condition:
    known = {label.name.casefold(): label.pk for label in labels.of_mailbox(mailbox)}
    if name.casefold() not in known:
        raise QueryError(
            f"No label is called “{name}”. Put a name of several words in quotes: "
            'label:"crown court".'
        )
    rows = "SELECT message_id FROM storage_messagelabel WHERE label_id = %s"
    return f"m.id IN ({rows})", known[name.casefold()]


def _folded(name: str) -> str:
    """Returns what a folder is called, without accents, joints and spaces."""
    return "".join(word for piece in pieces(name) for word in piece.words)


def _outside(folder_ids: list[int]) -> Condition:
    # Formatted into the statement, which is safe because the ids are our own numbers.
    listed = ", ".join(str(int(pk)) for pk in folder_ids) or "0"
    return f"m.folder_id NOT IN ({listed}) AND 1 = %s", 1


def _midnight(day: date | None) -> Any:
    """Returns the start of that day in local time, as the database compares it."""
    if day is None:
        return None
    moment = calendar_days.start_of(day)
    return connection.ops.adapt_datetimefield_value(moment)
