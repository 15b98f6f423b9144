from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.commands.flush import Command as Flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

from tests.fast_flush.tables import quoted, tables_with_rows

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
            for table in tables_with_rows(cursor, without=KEPT):
                cursor.execute(f"DELETE FROM {quoted(table)}")
            for table, rows in self._written.items():
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(
                    f"INSERT INTO {quoted(table)} VALUES ({marks})", rows
                )
            if not self._written:
                emit_post_migrate_signal(
                    verbosity=0, interactive=False, db=connection.alias
                )
                made = tables_with_rows(cursor, without=KEPT)
                self._written.update({table: _rows(cursor, table) for table in made})


def _rows(cursor: Any, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {quoted(table)}")
    return list(cursor.fetchall())
