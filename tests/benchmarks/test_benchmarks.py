"""What `make bench` measures can be measured: each runs, as small as it gets."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = [pytest.mark.slow, pytest.mark.journey]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("accept", "--messages 20 --sessions 4 --rounds 1", "ratio"),
        ("fanout", "--members 3 --rounds 1", "ratio"),
        ("directory", "--organisations 2 --people 10", "search smith"),
        ("webmail", "--messages 1002", "page: an open message"),
    ],
)
def test_benchmark_runs(name: str, options: str, said: str) -> None:
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *options.split()]

    done = subprocess.run(
        command, capture_output=True, text=True, cwd=settings.BASE_DIR, timeout=300
    )

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
