"""Which tables of the database hold rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection


def tables_with_rows(cursor: Any, *, without: Collection[str] = ()) -> list[str]:
    """Returns the names of the tables of models that hold at least one row."""
    tables = connection.introspection.django_table_names(only_existing=True)
    asked = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted(table)})"
        for table in sorted({*tables}.difference(without))
    )
    cursor.execute(asked)
    return [table for (table,) in cursor.fetchall()]


def quoted(table: str) -> str:
    """Returns the name as statements write it."""
    return connection.ops.quote_name(table)
