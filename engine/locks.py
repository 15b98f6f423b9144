"""Lets transactions of all hosts pass one by one where they share a name."""

from __future__ import annotations

from django.db import connection


def hold(*names: str) -> None:
    """Wait for each name, and keep it until the caller's transaction ends.

    They are taken in one order, so that two transactions never wait for each other. On
    SQLite a transaction that may write is the only one already (`transaction_mode`).
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for name in sorted(set(names)):
            # PostgreSQL 15, 13.3.5: gone with the transaction, whatever becomes of it.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name]
            )
