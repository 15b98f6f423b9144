"""7-Zip: creates archives, and lists those that tests build by hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def pack(folder: Path, files: dict[str, bytes], *switches: str) -> bytes:
    """Creates a 7z archive of those files in an empty folder."""
    papers = folder / "papers"
    for name, data in files.items():
        path = papers / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    archive = folder / "archive.7z"
    run("a", "-bso0", *switches, str(archive), ".", folder=papers)
    return archive.read_bytes()


def names(folder: Path, archive: bytes, *, kind: str) -> list[str]:
    """Returns the paths that 7-Zip finds in an archive of that kind."""
    path = folder / "listed"
    path.write_bytes(archive)
    listed = run("l", "-ba", "-slt", f"-t{kind}", "-sccUTF-8", str(path), folder=folder)
    return [
        line.removeprefix("Path = ")
        for line in listed.splitlines()
        if line.startswith("Path = ")
    ]


def run(*arguments: str, folder: Path) -> str:
    # Debian 12 knows it by the first of these names alone.
    program = shutil.which("7zz") or shutil.which("7z")
    assert program, "7-Zip is missing: .ci/prepare test installs it"
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout
