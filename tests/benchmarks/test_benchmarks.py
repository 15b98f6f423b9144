"""The comparisons of `make bench` run, at the smallest scale."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = [pytest.mark.slow, pytest.mark.journey]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("speed", "--messages 20 --rounds 1 --on PostgreSQL"),
        ("encryption", "--messages 20 --rounds 1"),
        ("relay", "--messages 20 --rounds 1"),
        ("fanout", "--members 3 --rounds 1"),
        ("dead_hop", "--due 300 --hops 3 --messages 5 --every 0.01"),
        ("hostile", "--sends 2 --web 9 --silent 40"),
        ("registry_change", "--small"),
        ("tracing", "--small"),
        ("webmail", "--messages 60 --rounds 1 --requests 1 --on PostgreSQL"),
    ],
)
def test_benchmark_beside_others_runs(name: str, options: str) -> None:
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *options.split()]

    done = subprocess.run(
        command, capture_output=True, text=True, cwd=settings.BASE_DIR, timeout=300
    )

    assert done.returncode == 0, done.stderr
    assert "ratio" in done.stdout
