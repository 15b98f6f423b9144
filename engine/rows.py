"""Rows is in charge of writing many rows at once, where each microsecond counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models

# Values in one statement: well within what SQLite binds, and text worth parsing.
VALUES_LIMIT = 30_000


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[int]:
    """Insert rows with few statements, in the caller's transaction; return their ids.

    For the path that every message takes: the same statement as bulk_create() sends,
    without making and asking a model instance for each value. Columns are database
    columns, and none that the model requires may be missing.
    """
    at_once = max(1, VALUES_LIMIT // len(columns))
    return [
        row_id
        for start in range(0, len(rows), at_once)
        for row_id in _insert(model, columns, rows[start : start + at_once])
    ]


def _insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[int]:
    one = f"({', '.join(['%s'] * len(columns))})"
    names = ", ".join(map(connection.ops.quote_name, columns))
    table = connection.ops.quote_name(model._meta.db_table)
    values = [_plain(value) for row in rows for value in row]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES {', '.join([one] * len(rows))}"  # noqa: S608
            " RETURNING id",
            values,
        )
        return [row[0] for row in cursor.fetchall()]


def add(model: type[models.Model], column: str, amounts: Mapping[int, int]) -> None:
    """Add to a number of several rows, by id, in the caller's transaction.

    In the order of the ids, so that two transactions never wait for each other.
    """
    name, table = map(connection.ops.quote_name, (column, model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {name} = {name} + %s WHERE id = %s",  # noqa: S608
            [(amounts[row_id], row_id) for row_id in sorted(amounts)],
        )


def _plain(value: Any) -> Any:
    """A value as the database takes it."""
    if isinstance(value, dict):
        return json.dumps(value)
    return _moment(value) if isinstance(value, datetime) else value


@lru_cache(maxsize=64)  # the rows of one statement share theirs
def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
