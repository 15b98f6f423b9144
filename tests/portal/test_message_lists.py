"""Each order and filter of a folder is served by an index, on both databases."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict

from engine.registry.models import Person
from portal.webmail.mailbox import list_queries
from portal.webmail.mailbox.list_options import read_options
from tests.portal.webmail.conftest import store_message


@pytest.mark.parametrize(
    "asked",
    [
        "order=newest",
        "order=oldest",
        "order=largest",
        "order=smallest",
        "order=sender",
        "show=files",
        "show=large",
        "show=mine",
        "show=nobodys",
        "sender=jane@firm.example",
        "order=oldest&sender=jane@firm.example",
        "order=largest&show=unread",
    ],
)
@pytest.mark.parametrize("place", ["first page", "later page"])
def test_no_page_of_a_folder_is_sorted(bob: Person, asked: str, place: str) -> None:
    stored = [store_message(bob.mailbox) for _ in range(3)]
    options = read_options(
        stored[0].folder, QueryDict(asked), conversations=False, reader_id=bob.pk
    )
    rows = (
        list_queries.ordered(options)
        if place == "first page"
        else list_queries.beyond(options, stored[1].pk, forwards=True)
    )
    if connection.vendor == "postgresql":
        # Three rows are read and sorted faster than found by an index.
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")

    plan = rows[:51].explain()

    assert "Sort" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan
