from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

# What each migration would write again just so.
KEPT = {"django_content_type", "auth_permission"}


class Command(Flush):
    """Deletes rows where Django truncates every table, and commits once.

    PostgreSQL makes a new file for each table and index that it truncates, which takes
    longer than most tests.
    """

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        tables = connection.introspection.django_table_names(only_existing=True)
        with connection.cursor() as cursor:
            for table in {*tables} - KEPT:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
