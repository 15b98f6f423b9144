"""Rows is in charge of many rows at once, where each microsecond counts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from django.db import connection, models
from django.db.models.expressions import RawSQL

# Values in one statement: well within what SQLite binds.
VALUES_LIMIT = 30_000
# Rows in one statement that gives each values of its own: it compares each with all.
UPDATED_AT_ONCE = 100

LOCK = "SELECT FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
ADD = """
    UPDATE {table} SET {name} = {name} + CAST(given.value AS bigint)
    FROM {members}(%s) AS given WHERE {table}.id = CAST(given.key AS bigint)
"""
# What reads the members of a JSON object as rows.
MEMBERS = {"postgresql": "json_each_text", "sqlite": "json_each"}
AMONG = {
    "postgresql": "SELECT CAST(value AS bigint) FROM json_array_elements_text(%s)",
    "sqlite": "SELECT value FROM json_each(%s)",
}

Columns: TypeAlias = tuple[str, ...]
Row: TypeAlias = Sequence[Any]


def insert(
    model: type[models.Model], columns: Columns, rows: Sequence[Row]
) -> list[int]:
    """Insert rows with few statements, in the caller's transaction; return their ids.

    For the path that every message takes: the same rows as bulk_create() writes, without
    making and asking a model instance for each value. Columns are database columns, and
    none that the model requires may be missing. The ids come in the order of the rows.
    """
    at_once = max(1, VALUES_LIMIT // len(columns))
    return [
        row_id
        for start in range(0, len(rows), at_once)
        for row_id in _insert(model, columns, rows[start : start + at_once])
    ]


def _insert(
    model: type[models.Model], columns: Columns, rows: Sequence[Row]
) -> list[int]:
    table, *names = map(connection.ops.quote_name, (model._meta.db_table, *columns))
    if connection.vendor == "postgresql" and not _has_bytes(model, columns):
        source, values = _document(table, names, columns, rows)
    else:
        source, values = _values(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) {source} RETURNING id",
            values,
        )
        return [row_id for (row_id,) in cursor.fetchall()]


def _values(rows: Sequence[Row]) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(rows[0]))})"
    values = [_plain(value) for row in rows for value in row]
    return f"VALUES {', '.join([one] * len(rows))}", values


def _document(
    table: str, names: Sequence[str], columns: Columns, rows: Sequence[Row]
) -> tuple[str, list[Any]]:
    """All rows as one JSON value, whose members PostgreSQL reads as the table's columns.

    Its driver looks through a statement for each place of a value, and twenty thousand
    places take it longer than the server takes to write the rows.
    """
    source = (
        f"SELECT {', '.join(names)}"  # noqa: S608
        f" FROM json_populate_recordset(NULL::{table}, %s::json)"
    )
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    return source, [json.dumps(records, default=_written)]


@lru_cache(maxsize=64)
def _has_bytes(model: type[models.Model], columns: Columns) -> bool:
    """True where a column holds what JSON has no word for."""
    fields = map(model._meta.get_field, columns)
    return any(isinstance(field, models.BinaryField) for field in fields)


def add(model: type[models.Model], column: str, amounts: Mapping[int, int]) -> None:
    """Add to a number of several rows, by id, in the caller's transaction.

    They are locked in the order of their ids, so that two transactions never wait for
    each other.
    """
    if not amounts:
        return
    table, name = map(connection.ops.quote_name, (model._meta.db_table, column))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(LOCK.format(table=table), [list(amounts)])
        members = MEMBERS[connection.vendor]
        cursor.execute(
            ADD.format(table=table, name=name, members=members), [json.dumps(amounts)]
        )


def among(ids: Collection[int]) -> RawSQL:
    """Ids for a filter with `__in`: one value to the database, however many they are."""
    return RawSQL(AMONG[connection.vendor], [json.dumps(list(ids))])  # noqa: S611


def _plain(value: Any) -> Any:
    """A value as the database takes it."""
    if isinstance(value, dict):
        return json.dumps(value)
    return _moment(value) if isinstance(value, datetime) else value


@lru_cache(maxsize=64)  # the rows of one statement share theirs
def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


@lru_cache(maxsize=64)
def _written(value: datetime) -> str:
    """A moment as JSON holds it, which has no word for one."""
    return datetime.isoformat(value)
