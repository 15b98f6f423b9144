"""The folder of all state, whose files nobody else on the machine may read.

Modes are explicit and do not lean on the umask, which the entry points set besides:
a folder that an operator or a package made, or a copy that was put back, keeps the modes
it was made with, and is tightened when a process starts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
# Few files, each of them a key. The other folders may hold millions of files, which
# are out of reach behind their folder's mode.
_FOLDERS_OF_KEYS = ("tls", "dkim")
# What others live in too. Tightened, they would shut out the whole machine.
_OF_OTHERS = {
    Path(name)
    for name in (
        "/", "/etc", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv",
        "/usr", "/var", "/var/cache", "/var/lib", "/var/log", "/var/opt", "/var/spool",
    )
}  # fmt: skip


def folder(*parts: str) -> Path:
    """A folder of the state, made private where it is not there yet, parents included."""
    return make_private(settings.POSTERN.path(*parts))


def make_private(path: Path) -> Path:
    """Make the folder and those above it that are missing, each for this user alone.

    `Path.mkdir(mode=…, parents=True)` gives its mode to the last one only.
    """
    missing = [path, *path.parents]
    for each in reversed([one for one in missing if not one.exists()]):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def create(path: Path) -> BinaryIO:
    """Open a new file for writing that was never readable by others.

    Raises FileExistsError where it is there already.
    """
    return open(path, "xb", opener=private)


def private(path: str, flags: int) -> int:
    """An opener for `open` that makes files which others cannot read."""
    return os.open(path, flags, PRIVATE_FILE)


def replace(path: Path, content: bytes) -> None:
    """Write a whole file at once: readers see the one before or this one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with create(draft) as file:
        file.write(content)
    draft.replace(path)


def keep_private() -> None:
    """Tighten what is there: the folder of all state, what stands in it, and keys.

    Raises ImproperlyConfigured for what belongs to another user and is open to others,
    and for a folder that is not the service's alone.
    """
    root: Path = settings.POSTERN.path()
    if not root.exists():
        return
    if root in {*_OF_OTHERS, Path.home()} or root.stat().st_mode & stat.S_ISVTX:
        raise ImproperlyConfigured(
            f"{root} is not for one service alone. Set POSTERN_VAR to a folder of its own."
        )
    for path in _guarded(root):
        _tighten(path)


def keep_database_private(name: str) -> None:
    """Tighten the files of a SQLite database, which it makes by the umask alone."""
    for suffix in ("", "-wal", "-shm"):
        _tighten(Path(f"{name}{suffix}"))


def _guarded(root: Path) -> Iterator[Path]:
    yield root
    yield from root.iterdir()
    for name in _FOLDERS_OF_KEYS:
        if (root / name).is_dir():
            yield from (root / name).iterdir()


def _tighten(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return  # another process removed it
    is_folder = stat.S_ISDIR(found.st_mode)
    if not is_folder and not stat.S_ISREG(found.st_mode):
        return
    wanted = PRIVATE_FOLDER if is_folder else PRIVATE_FILE
    if not stat.S_IMODE(found.st_mode) & ~wanted:
        return
    try:
        path.chmod(wanted)
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"{path} can be read by other users of this machine, and belongs to one of "
            f"them. Run as its owner: chmod {wanted:o} {path}"
        ) from error
