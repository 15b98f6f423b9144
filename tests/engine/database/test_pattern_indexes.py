from __future__ import annotations

import pytest
from django.db import connection

from engine.trace.models import Event

pytestmark = pytest.mark.django_db


def indexed(table: str) -> list[list[str]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return sorted(
        one["columns"]
        for one in found.values()
        if one["index"] and not one["primary_key"]
    )


def test_each_column_of_the_trace_has_one_index() -> None:
    assert indexed(Event._meta.db_table) == [
        ["at"],
        # Each of some kinds only: rare ones, what followed a delivery, and links.
        ["kind", "id"],
        ["kind", "id"],
        ["kind", "id"],
        ["recipient"],
        ["reference"],
        ["refused_for_id", "id"],
    ]
