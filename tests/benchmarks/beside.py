"""Another version of this repository, to be measured beside this one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import open_folder, remove_folder

HOME = Path(__file__).resolve().parents[2]


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """That version in a folder of its own, with what its own locks name installed."""
    folder = open_folder()
    home = folder / "home"
    _run("git", "worktree", "add", "--detach", "--quiet", str(home), commit, at=HOME)
    try:
        _run(".ci/prepare", "run", at=home)
        yield home
    finally:
        _run("git", "worktree", "remove", "--force", str(home), at=HOME)
        remove_folder(folder)


def _run(*command: str, at: Path) -> None:
    subprocess.run(command, cwd=at, check=True)
