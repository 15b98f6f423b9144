"""What `.ci/prepare` says to a user who may not install packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.peers.process import open_folder, remove_folder

ROOT = Path(__file__).parent.parent


@pytest.fixture
def tree():
    """A clone's `.ci` that everybody may read, beside programs of `_stand_in`."""
    folder = open_folder()
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    (folder / "bin").mkdir()
    yield folder
    remove_folder(folder)


def _stand_in(tree: Path, name: str, script: str) -> None:
    program = tree / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def _prepare(tree: Path, purpose: str) -> subprocess.CompletedProcess[str]:
    path = f"{tree}/bin:/usr/bin:/bin"
    return subprocess.run(
        [tree / ".ci/prepare", purpose],
        env={"PATH": path},
        user="nobody" if os.geteuid() == 0 else None,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("purpose", "packages"),
    [("run", ["libpango-1.0-0"]), ("test", ["libpango-1.0-0", "postfix", "swaks"])],
)
def test_a_user_without_sudo_is_told_what_to_install(
    purpose: str, packages: list[str], tree: Path
) -> None:
    _stand_in(tree, "dpkg-query", "exit 1")
    _stand_in(tree, "sudo", "exit 1")

    said = _prepare(tree, purpose)

    assert said.returncode == 1
    assert "install them and run this again" in said.stderr
    [command] = [line for line in said.stderr.splitlines() if "apt-get" in line]
    assert set(packages) <= set(command.split())
    assert not (tree / ".venv").exists()
