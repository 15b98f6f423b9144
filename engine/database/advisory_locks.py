"""Lets transactions of all hosts pass one by one where they share a name."""

from __future__ import annotations

from django.db import connection

# PostgreSQL 15, 13.3.5: gone with the transaction, whatever becomes of it. Sorted
# in a query of its own: what a SELECT list does may be done before its ORDER BY.
HOLD = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest(%s::text[]) AS name
        ORDER BY key
    ) AS keys
"""


def hold(*names: str) -> None:
    """Wait for each name, and keep it until the caller's transaction ends. One query.

    They are taken in one order, so that two transactions never wait for each other. On
    SQLite a transaction that may write is the only one already (`transaction_mode`).
    """
    if not names or connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [list(names)])
