"""A ZIP file that is written in slices, each of which survives a crash of the next.

A ZIP file ends with its directory, and appending overwrites it. So after each slice a copy
of the directory is saved beside the file, and the next slice first restores both.
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

from engine.secrets import state_folder


class BusyError(Exception):
    """Another process is writing this archive, or has just finished it."""


@dataclass(slots=True)
class Progress:
    """The state that a writer needs to resume an archive."""

    start: int = 0  # octets before the directory
    directory: str = ""  # the directory itself, base64
    done: int = 0  # messages written
    folder: int = 0  # the id of the folder last written from
    after: int = 0  # the id of that folder's message last written
    files: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads the progress of the last slice; an empty one where there is none."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()


@contextmanager
def locked(part: Path) -> Iterator[BinaryIO]:
    """Opens the archive's file, creating it if missing, for this process alone.

    Raises BusyError.
    """
    if not part.exists():
        state_folder.create_private_file(part).close()
    with part.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(str(part)) from error
        # The lock belongs to the file, not to its name: the process that held it before
        # may have finished the archive and renamed it.
        if not part.exists() or not part.samefile(f"/proc/self/fd/{file.fileno()}"):
            raise BusyError(str(part))
        yield file


@contextmanager
def slice_of(
    file: BinaryIO, progress_file: Path
) -> Iterator[tuple[zipfile.ZipFile, Progress]]:
    """Opens a locked archive for appending.

    What the block writes counts only if it ends without an exception, because progress
    is saved last.
    """
    progress = Progress.read(progress_file)
    if file.seek(0, os.SEEK_END) < progress.start:
        progress = Progress()  # the file was removed, or its slices are on another host
    file.truncate(progress.start)
    file.seek(progress.start)
    file.write(base64.b64decode(progress.directory))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        yield archive, progress
    progress.start = archive.start_dir
    file.seek(progress.start)
    progress.directory = base64.b64encode(file.read()).decode()
    # On disk before the progress says so, or a power cut would leave progress without data.
    file.flush()
    os.fsync(file.fileno())
    state_folder.write_atomically(progress_file, json.dumps(asdict(progress)).encode())
