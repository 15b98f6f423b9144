"""Writes and selects many rows with few statements, where Django's ORM is too slow."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from django.db import connection, models

from engine.database import statements

# Values in one statement; SQLite binds 32,766 by default.
VALUES_LIMIT = 30_000
# Rows in one bulk_update(): its CASE compares every row with every key, so that the cost
# of a statement grows with the square.
UPDATE_BATCH_SIZE = 100

# Conditions on one bound value of `members`, so that the text is the same for any number.
AMONG = {
    "postgresql": "= ANY(%s)",
    "sqlite": "IN (SELECT value FROM json_each(%s))",
}
LOCK = "SELECT FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
INCREMENT = """
    UPDATE {table} SET {name} = {name} + CAST(given.value AS bigint){counting}
    FROM {members}(%s) AS given WHERE {table}.id = CAST(given.key AS bigint)
"""
# The functions that read the members of a JSON object as rows.
MEMBERS = {"postgresql": "json_each_text", "sqlite": "json_each"}

Columns: TypeAlias = tuple[str, ...]
Row: TypeAlias = Sequence[Any]


def insert(
    model: type[models.Model], columns: Columns, rows: Sequence[Row]
) -> list[int]:
    """Inserts rows in the caller's transaction, and returns their ids in the same order.

    Writes the same rows as bulk_create() without a model instance for each, because every
    accepted message comes through here. `columns` are names of database columns; the
    model's defaults are not applied, so that none that it requires may be missing.
    """
    batch_size = max(1, VALUES_LIMIT // len(columns))
    return [
        row_id
        for start in range(0, len(rows), batch_size)
        for row_id in _insert(model, columns, rows[start : start + batch_size])
    ]


def _insert(
    model: type[models.Model], columns: Columns, rows: Sequence[Row]
) -> list[int]:
    table, *names = map(connection.ops.quote_name, (model._meta.db_table, *columns))
    into = f"INSERT INTO {table} ({', '.join(names)})"
    if connection.vendor == "sqlite":
        return _insert_each(f"{into} VALUES {_places(columns)}", rows)
    octets = _octet_columns(model, columns)
    if octets:
        source, values = _zipped_source(model, columns, octets, rows)
    else:
        source, values = _json_source(table, names, columns, rows)
    found = statements.fetch(f"{into} {source} RETURNING id", values)
    return [row_id for (row_id,) in found]


def _insert_each(statement: str, rows: Sequence[Row]) -> list[int]:
    """Inserts row by row, with one prepared statement for any number of rows.

    AUTOINCREMENT adds one to the largest id that the table has ever had
    (sqlite.org/autoinc.html), and no other connection writes meanwhile, so that the ids
    follow from the last.
    """
    with connection.cursor() as cursor:
        cursor.executemany(statement, [list(map(_bindable, row)) for row in rows])
        # Not through the wrapper, which would double the number of statements in the log.
        [last] = cursor.connection.execute("SELECT last_insert_rowid()").fetchone()
    return list(range(last - len(rows) + 1, last + 1))


def _places(columns: Columns) -> str:
    return f"({', '.join(['%s'] * len(columns))})"


def _json_source(
    table: str, names: Sequence[str], columns: Columns, rows: Sequence[Row]
) -> tuple[str, list[Any]]:
    """Passes all rows as one JSON value, which PostgreSQL reads as rows of the table.

    Arrays, one for each column, take psycopg three times as long to write.
    """
    source = (
        f"SELECT {', '.join(names)}"  # noqa: S608
        f" FROM json_populate_recordset(NULL::{table}, %s::json)"
    )
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    return source, [json.dumps(records, default=_as_json)]


def _zipped_source(
    model: type[models.Model], columns: Columns, octets: Columns, rows: Sequence[Row]
) -> tuple[str, list[Any]]:
    """Passes octets, which JSON cannot express, as arrays beside the JSON value."""
    quoted = connection.ops.quote_name
    plain = [name for name in columns if name not in octets]
    types = ", ".join(
        f"{quoted(name)} {model._meta.get_field(name).db_type(connection)}"
        for name in plain
    )
    arrays = ", ".join(["unnest(%b::bytea[])"] * len(octets))
    source = (
        f"SELECT {', '.join(map(quoted, columns))}"  # noqa: S608
        f" FROM ROWS FROM (json_to_recordset(%s::json) AS ({types}), {arrays})"
        f" AS given ({', '.join(map(quoted, (*plain, *octets)))})"
    )
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    given = [[record.pop(name) for record in records] for name in octets]
    return source, [json.dumps(records, default=_as_json), *given]


@lru_cache(maxsize=64)
def _octet_columns(model: type[models.Model], columns: Columns) -> Columns:
    """Returns the columns that hold octets."""
    return tuple(
        name
        for name in columns
        if isinstance(model._meta.get_field(name), models.BinaryField)
    )


def update(
    model: type[models.Model], columns: Columns, rows: Sequence[models.Model]
) -> None:
    """Writes columns of rows, in the caller's transaction, which has locked them.

    Like bulk_update(), whose statement grows with the rows and takes Django ten times as
    long to compile as the database to execute. `columns` are named like their fields.
    """
    if not rows:
        return
    table, *names = map(connection.ops.quote_name, (model._meta.db_table, *columns))
    if connection.vendor == "postgresql":
        records = [
            {name: getattr(row, name) for name in columns} | {"id": row.pk}
            for row in rows
        ]
        pairs = ", ".join(f"{name} = given.{name}" for name in names)
        statements.run(
            f"UPDATE {table} SET {pairs}"  # noqa: S608
            f" FROM json_populate_recordset(NULL::{table}, %s::json) AS given"
            f" WHERE {table}.id = given.id",
            [json.dumps(records, default=_as_json)],
        )
        return
    pairs = ", ".join(f"{name} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {pairs} WHERE id = %s",  # noqa: S608
            [
                [*(_bindable(getattr(row, name)) for name in columns), row.pk]
                for row in rows
            ],
        )


def increment(
    model: type[models.Model],
    column: str,
    amounts: Mapping[int, int],
    *,
    counts: str = "",
) -> None:
    """Adds `amounts`, by id, to a number in several rows, in the caller's transaction.

    Adds one to the column `counts` of the same rows, where it is given.

    Locks the rows in the order of their ids first: an UPDATE locks them in any order, and
    two transactions that share rows could wait for each other.
    """
    if not amounts:
        return
    table, name = map(connection.ops.quote_name, (model._meta.db_table, column))
    if connection.vendor == "postgresql":
        statements.run(LOCK.format(table=table), [list(amounts)])
    counted = connection.ops.quote_name(counts)
    sql = INCREMENT.format(
        table=table,
        name=name,
        counting=f", {counted} = {counted} + 1" if counts else "",
        members=MEMBERS[connection.vendor],
    )
    statements.run(sql, [json.dumps(amounts)])


def members(values: Collection[int | str]) -> Any:
    """Returns values as the one that AMONG binds."""
    as_list = list(values)
    return as_list if connection.vendor == "postgresql" else json.dumps(as_list)


def _bindable(value: Any) -> Any:
    """Converts a value to what the database driver accepts."""
    kind = type(value)
    if kind is dict:
        return json.dumps(value)
    return _moment(value) if kind is datetime else value


@lru_cache(maxsize=64)  # all rows of a statement have the same time
def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


@lru_cache(maxsize=64)
def _as_json(value: datetime) -> str:
    """Converts a time to ISO 8601, as JSON has no type for it."""
    return datetime.isoformat(value)
