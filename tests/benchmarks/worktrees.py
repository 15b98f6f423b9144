"""Prepares another version of this repository, to be measured in the same run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
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


def _run(*command: str, at: Path) -> None:
    subprocess.run(command, cwd=at, check=True)
