"""Debian's tnef, which extracts the files of a winmail.dat."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_CLASS = 16  # octets


def extract(folder: Path, data: bytes) -> dict[str, bytes]:
    """Returns the files that it finds, by name, within an empty folder."""
    program = shutil.which("tnef")
    assert program, "tnef is missing: .ci/prepare test installs it"
    source, found = folder / "winmail.dat", folder / "found"
    source.write_bytes(data)
    found.mkdir()
    subprocess.run(
        [program, "--number-backups", "-C", str(found), "-f", str(source)],
        capture_output=True,
        timeout=60,
        check=True,
    )
    files = {path.name: path.read_bytes() for path in found.iterdir()}
    # An attached message, with its class before it, is left as it is.
    message = files.pop("tnef-tmp", b"")[_CLASS:]
    if message:
        (folder / "inner").mkdir()
        files |= extract(folder / "inner", message)
    return files
