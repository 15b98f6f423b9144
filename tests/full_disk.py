"""A PostgreSQL database whose disk is full, for every client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from engine.storage.models import Content

# The error that PostgreSQL itself raises when it cannot extend a file (class 53).
NO_ROOM = """
    CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device'
        USING ERRCODE = 'disk_full';
    END $$
"""
TRIGGER = "CREATE TRIGGER no_room BEFORE INSERT ON {} EXECUTE FUNCTION no_room()"


@contextmanager
def refuse_new_rows() -> Iterator[None]:
    """Refuses new rows of message content. For PostgreSQL, outside transactions."""
    table = connection.ops.quote_name(Content._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(NO_ROOM)
        cursor.execute(TRIGGER.format(table))
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION no_room() CASCADE")
