"""A process accepts as many connections as its limit of open files allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.processes import resource_limits

CHILD = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 300))
from engine.processes import resource_limits
print(resource_limits.raise_open_files_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_limit_is_raised_as_far_as_it_may_be() -> None:
    said = subprocess.check_output([sys.executable, "-c", CHILD], text=True)

    assert said.split() == ["300", "300", "300"]


def test_connections_fit_into_what_is_allowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert (
        resource_limits.fit_connections(1_000, each=3, others=100, allowed=3_100)
        == 1_000
    )
    assert caplog.text == ""

    assert (
        resource_limits.fit_connections(1_000, each=3, others=100, allowed=1_024) == 308
    )

    assert "LimitNOFILE" in caplog.text


def test_some_connection_is_taken_whatever_is_allowed() -> None:
    assert resource_limits.fit_connections(1_000, each=3, others=100, allowed=64) == 1
