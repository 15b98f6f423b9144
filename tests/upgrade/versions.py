"""Takes other versions of the service out of this repository's history."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.peers.process import PeerError

HOME = Path(__file__).resolve().parents[2]
# The first version that anybody served from.
FIRST_SERVED = "7379faa"
# The version before this one. It runs with the packages of this one.
BEFORE = "90abfe2"
# The first version that can be one of several hosts: earlier ones have no PROXY headers
# (before 07a10555) or keep bodies over 64 kB in files of their own host (before this one).
FIRST_SHARED = "0f5c32dd"


def extract(commit: str, folder: Path) -> Path:
    """Unpacks a version into a new folder. Raises PeerError if the clone lacks it."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=HOME, capture_output=True, check=False
    )
    if archive.returncode:
        raise PeerError(
            f"This clone has no commit {commit}, which the service is upgraded from: "
            f"{archive.stderr.decode().strip()}. If it is shallow, run "
            "`git fetch --unshallow`."
        )
    subprocess.run(["tar", "x"], cwd=folder, input=archive.stdout, check=True)
    return folder


def own_python(home: Path) -> str:
    """Installs a version's own packages and returns the Python that has them."""
    subprocess.run([".ci/prepare", "run"], cwd=home, check=True)
    return str(home / ".venv/bin/python")


def prepared_python(home: Path) -> str:
    """Returns a Python with a version's packages: this one, unless they differ.

    The website's packages are made available likewise.
    """
    locks = ("requirements.lock", "package-lock.json")
    if any((home / lock).read_bytes() != (HOME / lock).read_bytes() for lock in locks):
        return own_python(home)
    (home / "node_modules").symlink_to(HOME / "node_modules")
    return sys.executable


def is_history_here() -> bool:
    """Whether this clone has more than the newest commits, as a shallow one has."""
    answer = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"],
        cwd=HOME,
        capture_output=True,
        check=True,
    )
    return answer.stdout.strip() == b"false"
