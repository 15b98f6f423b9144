"""Prepares another version of this repository, to be measured in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import open_folder, remove_folder

HOME = Path(__file__).resolve().parents[2]


@contextmanager
def worktree(commit: str, *, packages: str = "run") -> Iterator[Path]:
    """Checks out that version in a temporary folder, with its own packages.

    `packages` is `test` for a side that imports what only tests have.
    """
    folder = open_folder()
    home = folder / "home"
    _run("git", "worktree", "add", "--detach", "--quiet", str(home), commit, at=HOME)
    try:
        _run(".ci/prepare", packages, at=home)
        yield home
    finally:
        _run("git", "worktree", "remove", "--force", str(home), at=HOME)
        remove_folder(folder)


def run_both(
    commit: str, module: str, *arguments: str, rounds: int
) -> Iterator[tuple[str, str]]:
    """Runs a benchmark of the other version and then this version's, `rounds` times.

    They alternate because the machine's speed drifts. Each version runs its own module,
    so that both must print the same lines. Yields what the two have printed; raises
    CalledProcessError if one fails.
    """
    command = ["-m", f"tests.benchmarks.{module}", *arguments]
    with worktree(commit) as home:
        theirs = os.environ | {"PYTHONPATH": str(home)}
        # A database that was migrated for the tests fits this version only.
        theirs.pop("POSTERN_MIGRATED", None)
        for _ in range(rounds):
            before = _output(home / ".venv/bin/python", *command, at=home, env=theirs)
            yield before, _output(sys.executable, *command, at=HOME, env=os.environ)


def _output(*command: str | Path, at: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=at, env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _run(*command: str, at: Path) -> None:
    subprocess.run(command, cwd=at, check=True)
