"""A ZIP file that is written in slices: what was written before a crash stays good.

ZIP keeps its directory at the end, and appending overwrites it. So after each slice the
directory is kept beside the file; the next slice first puts both back as they were.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from engine import state


class BusyError(Exception):
    """Another process is at this archive."""


@dataclass(slots=True)
class Progress:
    """How far an archive is, and what its writer must know to go on."""

    start: int = 0  # octets before the directory
    directory: str = ""  # the directory itself, base64
    done: int = 0  # messages
    folder: int = 0  # the id of the folder last written to
    after: int = 0  # the id of the message last written of it
    files: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What the last slice left; the beginning where there was none."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()


@contextmanager
def locked(part: Path) -> Iterator[BinaryIO]:
    """The archive's file, made where it is not there, for this process alone.

    Raises BusyError, also where another has just finished it and moved it away.
    """
    if not part.exists():
        state.create(part).close()
    with part.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(str(part)) from error
        if not part.exists() or not part.samefile(f"/proc/self/fd/{file.fileno()}"):
            raise BusyError(str(part))
        yield file


@contextmanager
def slice_of(
    file: BinaryIO, progress_file: Path
) -> Iterator[tuple[zipfile.ZipFile, Progress]]:
    """Append to an archive that is locked.

    What the block writes counts if and only if it ends well: progress is written last.
    """
    progress = Progress.read(progress_file)
    if file.seek(0, os.SEEK_END) < progress.start:
        progress = Progress()  # the file is another host's, or was removed
    file.truncate(progress.start)
    file.seek(progress.start)
    file.write(base64.b64decode(progress.directory))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        yield archive, progress
    progress.start = archive.start_dir
    file.seek(progress.start)
    progress.directory = base64.b64encode(file.read()).decode()
    file.flush()
    os.fsync(file.fileno())
    state.replace(progress_file, json.dumps(asdict(progress)).encode())
