"""Runs statements of fixed text, for what every message, page or saved row asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

# Executions after which psycopg prepares a statement that does not ask for it.
PREPARE_THRESHOLD = 5


class _PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Has the server parse a statement once for each connection, and bind its values.

    Django's own cursor (5.2) writes the values into the text, so that the server parses
    and plans each execution, and octets pass as twice as many hexadecimal digits.
    """

    def execute(self, query: Any, params: Any = None, **_: Any) -> Self:
        return super().execute(query, params, prepare=True)


def fetch(sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Executes a statement in the caller's transaction, and returns its rows.

    Compiling a query with Django's ORM takes ten times as long as SQLite takes to run it.
    The text may not depend on the number of values, so that drivers and PostgreSQL can
    keep it prepared. Raises DatabaseError.
    """
    with _cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        return rows


def run(sql: str, values: Sequence[Any] = ()) -> None:
    """Executes a statement that returns no rows."""
    with _cursor() as cursor:
        cursor.execute(sql, values)


def _cursor() -> CursorWrapper:
    # Django's log of queries, where it is on, would have None for each prepared one
    # (psycopg 3.3).
    if connection.vendor != "postgresql" or connection.queries_logged:
        return connection.cursor()
    connection.ensure_connection()
    raw = connection.connection
    if raw.prepare_threshold is None:
        # Django's default, under which nothing is prepared even when a cursor asks.
        raw.prepare_threshold = PREPARE_THRESHOLD
    cursor: Any = _PreparedCursor(raw)
    return connection.make_cursor(cursor)
