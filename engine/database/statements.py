"""Runs statements of fixed text, on the path that every message takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection


def fetch(sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Executes a statement in the caller's transaction, and returns its rows.

    Compiling a query with Django's ORM takes ten times as long as SQLite takes to run it.
    The text may not depend on the number of values, so that drivers can keep it
    prepared. Raises DatabaseError.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        return rows


def run(sql: str, values: Sequence[Any] = ()) -> None:
    """Executes a statement that returns no rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
