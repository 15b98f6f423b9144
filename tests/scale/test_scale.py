"""The drill at its smallest scale, and that it forgets no page."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from tests.permissions import permission_table
from tests.scale import list_views, lists


def test_every_list_that_has_more_pages_is_a_route() -> None:
    routes = set(permission_table.routes())

    assert sorted(set(lists.QUERIES) - routes) == []
    assert sorted(set(lists.OF_ONE_ORGANISATION) - set(lists.QUERIES)) == []


def test_no_list_is_forgotten() -> None:
    unlisted = list_views.routes() - set(lists.QUERIES)

    excused = {
        route for route in unlisted if any(map(route.startswith, lists.WITHOUT_QUERIES))
    }
    needed = {
        start
        for start in lists.WITHOUT_QUERIES
        if any(route.startswith(start) for route in excused)
    }
    assert sorted(unlisted - excused) == []
    assert needed == set(lists.WITHOUT_QUERIES)


def test_what_no_role_may_open_is_admitted_to_none() -> None:
    of_nobody = [
        start for start, reason in lists.WITHOUT_QUERIES.items() if "no role" in reason
    ]
    declared = permission_table.declared()
    admitting = [
        route
        for route in list_views.routes()
        if any(map(route.startswith, of_nobody)) and declared[route].admits
    ]

    assert admitting == []


@pytest.mark.slow
@pytest.mark.journey
def test_the_lists_of_a_small_community_are_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale", "--small", "--only", "/api/v1/"],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert "at the 95th percentile" in done.stdout
