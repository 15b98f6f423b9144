"""Lists the newest messages of several folders as one list.

Each folder gives its newest by its own index, and these few are merged: the cost depends on
the number of folders, and not on the messages in them.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from engine.storage.models import Message

# Folders merged into one list.
FOLDERS_LIMIT = 50

# In brackets of its own, because SQLite takes no LIMIT inside a UNION.
_NEWEST = """SELECT id FROM (
    SELECT id FROM storage_message WHERE folder_id = %s AND id < %s
    ORDER BY id DESC LIMIT %s) AS newest"""
_NO_END = 2**63 - 1


def newest(
    folder_ids: Collection[int], *, before: int | None, limit: int
) -> list[Message]:
    """Returns the newest messages of the folders with ids below `before`, in two
    queries."""
    chosen = list(folder_ids)[:FOLDERS_LIMIT]
    if not chosen:
        return []
    end = _NO_END if before is None else before
    values = [value for pk in chosen for value in (pk, end, limit)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([_NEWEST] * len(chosen)), values)
        found = sorted((row[0] for row in cursor.fetchall()), reverse=True)[:limit]
    rows = Message.objects.filter(pk__in=found).select_related("folder", "mailbox")
    return list(rows.order_by("-pk"))
