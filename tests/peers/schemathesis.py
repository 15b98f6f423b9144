"""Schemathesis: derives valid and invalid requests from the OpenAPI document."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import PeerError

CONFIG = Path(__file__).with_suffix(".toml")
PATIENCE = 600  # seconds, on a machine that is also doing other work
# Makes the same requests in the same order each time.
ALWAYS_ALIKE = ("--seed=1", "--workers=1", "--generation-database=none", "--no-shrink")
CASES = "--max-examples=4"  # valid and invalid requests, for each operation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it reported, and how many of the document's operations it called."""

    is_clean: bool
    operations: int
    tested: int
    log: str


def run(base: str, key: str, *, phases: str) -> Outcome:
    """Calls every operation of the document at `base`, and checks the responses."""
    with tempfile.TemporaryDirectory(prefix="schemathesis-") as folder:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                f"--config-file={CONFIG}",
                "run",
                f"{base}openapi.json",
                f"--header=Authorization: Bearer {key}",
                f"--phases={phases}",
                "--checks=all",
                "--continue-on-failure",
                "--request-timeout=60",
                "--wait-for-schema=60",
                "--warnings=off",
                CASES,
                *ALWAYS_ALIKE,
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "NO_COLOR": "1"},
            check=False,
            cwd=folder,
        )
    log = done.stdout + done.stderr
    said = dict(re.findall(r"^  (Selected|Tested): (\d+)", log, re.MULTILINE))
    if not said:
        raise PeerError(log)
    return Outcome(
        done.returncode == 0, int(said["Selected"]), int(said["Tested"]), log
    )
