"""The drill at its smallest scale, and that it forgets no page."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from tests.permissions import permission_table
from tests.scale import lists


def test_every_list_that_has_more_pages_is_a_route() -> None:
    routes = set(permission_table.routes())

    assert sorted(set(lists.QUERIES) - routes) == []
    assert sorted(set(lists.OF_ONE_ORGANISATION) - set(lists.QUERIES)) == []


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
