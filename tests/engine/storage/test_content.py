from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.storage import content, message_actions
from engine.storage.models import Content

pytestmark = pytest.mark.django_db


def plan_of(statement: str) -> str:
    """Returns the database's query plan for a statement."""
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN (FORMAT JSON)"}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which scans small tables completely
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain[connection.vendor]} {statement}")
        return json.dumps(cursor.fetchall(), default=str)


@pytest.mark.parametrize("count", [1, 500])
def test_contents_of_a_blob_are_found_by_an_index(count: int) -> None:
    keys = [f"{number:032x}" for number in range(count)]

    with CaptureQueriesContext(connection) as queries:
        list(Content.objects.in_blobs(keys).values_list("blob_key", flat=True))

    plan = plan_of(queries[0]["sql"])
    assert "content_by_blob" in plan
    assert "SCAN" not in plan and "Seq Scan" not in plan


def test_erasing_reads_no_table_of_contents() -> None:
    body = b"x" * (content.INLINE_LIMIT + 1)
    row = content.row(content.keep(b"Subject: x\r\n\r\n", body))
    row.save()

    with CaptureQueriesContext(connection) as queries:
        message_actions.delete_unreferenced({row.pk})

    asked = [q["sql"] for q in queries if q["sql"].startswith("SELECT")]
    assert any("content_by_blob" in plan_of(statement) for statement in asked)
    assert not any("SCAN storage_content" in plan_of(statement) for statement in asked)
