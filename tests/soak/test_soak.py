"""A three-minute run of `python -m tests.soak`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = [pytest.mark.slow, pytest.mark.journey]


def test_nothing_is_lost_doubled_stuck_or_unnoticed_while_parts_break() -> None:
    options = ["--minutes", "3", "--hold", "5", "--rest", "3", "--pause", "1.5"]

    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *options],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        timeout=1_500,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert ", lost 0, doubled 0, stuck 0, unnoticed 0;" in done.stdout
