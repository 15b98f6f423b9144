"""Drops the indexes for LIKE that Django adds to every indexed text column on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FIND = """
    SELECT indexname FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = %s AND indexdef LIKE %s
"""


def drop(table: str, *columns: str) -> Callable[[Any, Any], None]:
    """Returns what a RunPython does, for columns whose texts are only compared for equality.

    Every row that is written writes these indexes too. Rolling back needs nothing: the
    version before only reads without them.
    """

    def run(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        quoted = schema_editor.quote_name
        for column in columns:
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(FIND, [table, f"%({column} varchar_pattern_ops)"])
                names = [name for (name,) in cursor.fetchall()]
            for name in names:
                schema_editor.execute(f"DROP INDEX IF EXISTS {quoted(name)}")

    return run
