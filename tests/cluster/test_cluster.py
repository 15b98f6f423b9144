"""A short run of `python -m tests.cluster`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = [pytest.mark.slow, pytest.mark.journey]


def test_nothing_is_lost_or_doubled_while_hosts_and_postgresql_fail() -> None:
    options = [
        "--faults",
        "2",
        "--hold",
        "5",
        "--rest",
        "3",
        "--pause",
        "1.5",
        "--without",
        "--behind",
        "",
    ]

    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster", *options],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        timeout=1_200,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert ", lost 0, doubled 0, stuck 0, refused " in done.stdout
