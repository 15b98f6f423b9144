"""Serialises transactions of all hosts that lock the same name."""

from __future__ import annotations

from django.db import connection

from engine.database import statements

# PostgreSQL 15 §13.3.5: transaction-level locks end with the transaction, committed or
# not. The keys are sorted in a subquery, because a SELECT list may be evaluated before the
# ORDER BY beside it.
HOLD = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest(%s::text[]) AS name
        ORDER BY key
    ) AS keys
"""


def hold(*names: str) -> None:
    """Waits for the lock of each name, and holds it until the transaction ends. One query.

    All callers take their locks in the same order, so that no two wait for each other.
    Does nothing on SQLite, where writing transactions are serialised already: ours begin
    IMMEDIATE (`transaction_mode`).
    """
    if not names or connection.vendor != "postgresql":
        return
    statements.run(HOLD, [list(names)])
