"""Loads what several short queries find, in one statement."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from engine.storage.models import Message


def ids_of(*queries: QuerySet[Message]) -> RawSQL:
    """Returns the ids that any of the queries finds, for a filter by `pk__in`.

    The queries may be sliced, which SQLite allows in no union of querysets.
    """
    pieces: list[str] = []
    values: list[Any] = []
    for query in queries:
        statement, given = query.values("pk").query.sql_with_params()
        pieces.append(f"SELECT * FROM ({statement}) AS piece{len(pieces)}")  # noqa: S608
        values += given
    return RawSQL(" UNION ".join(pieces), values)  # noqa: S611 - Django's own statements
