from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.commands.flush import Command as Flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

# Tables whose rows migrations create, and would create again identically.
KEPT = {"django_content_type", "auth_permission"}
Rows = list[tuple[Any, ...]]


class Command(Flush):
    """Deletes the rows of every table in one commit, where Django truncates.

    PostgreSQL creates a new file for each table and index that it truncates, which
    takes longer than most tests. The apps' post_migrate handlers are slow too: they run
    once in a process, and the rows that they wrote are inserted again from memory.
    """

    _written: ClassVar[dict[str, Rows]] = {}

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        with connection.cursor() as cursor:
            for table in _filled(cursor):
                cursor.execute(f"DELETE FROM {_quoted(table)}")
            for table, rows in self._written.items():
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(
                    f"INSERT INTO {_quoted(table)} VALUES ({marks})", rows
                )
            if not self._written:
                emit_post_migrate_signal(
                    verbosity=0, interactive=False, db=connection.alias
                )
                self._written.update(
                    {table: _rows(cursor, table) for table in _filled(cursor)}
                )


def _filled(cursor: Any) -> list[str]:
    """Returns the tables that hold rows and are to be emptied."""
    tables = connection.introspection.django_table_names(only_existing=True)
    asked = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {_quoted(table)})"
        for table in sorted({*tables} - KEPT)
    )
    cursor.execute(asked)
    return [table for (table,) in cursor.fetchall()]


def _rows(cursor: Any, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {_quoted(table)}")
    return list(cursor.fetchall())


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)
