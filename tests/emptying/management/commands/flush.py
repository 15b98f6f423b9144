from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.commands.flush import Command as Flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

# What each migration would write again just so.
KEPT = {"django_content_type", "auth_permission"}
Rows = list[tuple[Any, ...]]


class Command(Flush):
    """Deletes rows where Django truncates every table, and commits once.

    PostgreSQL makes a new file for each table and index that it truncates, which takes
    longer than most tests. So does what the apps write after migrating: it is asked of
    them once in a process, and written again as it was.
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
    """The tables that hold rows, of those to be emptied."""
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
