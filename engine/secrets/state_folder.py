"""Keeps the state folder and its files private to the user that runs the service.

Files are created with explicit modes and do not rely on the umask, which the entry points
set as well. A folder that an operator or a package has created, or a restored backup, has
other modes; those are restricted when a process starts.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
# Identifies the running kernel: all containers of a machine read the same value.
_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Folders whose few files are restricted one by one, since each is a key. Others may hold
# millions of files, which the mode of their folder protects.
_KEY_FOLDERS = ("tls", "dkim")
# Folders that other programs use: restricting one would lock them out.
_SHARED_FOLDERS = {
    Path(name)
    for name in (
        "/", "/etc", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv",
        "/usr", "/var", "/var/cache", "/var/lib", "/var/log", "/var/opt", "/var/spool",
    )
}  # fmt: skip


def subfolder(*parts: str) -> Path:
    """Returns a folder in the state folder, which is created where it is missing.

    Without arguments it is the state folder itself.
    """
    return make_private_folder(settings.POSTERN.path(*parts))


def identity(*parts: str) -> str:
    """Returns an identifier of a folder in the state folder, which is created.

    Containers of one machine that share the folder get the same identifier; a copy of
    the folder on another machine gets another. Raises OSError.
    """
    found = subfolder(*parts).stat()
    system = _BOOT.read_text().strip() if _BOOT.exists() else socket.gethostname()
    return f"{system} {found.st_dev} {found.st_ino}"


def make_private_folder(path: Path) -> Path:
    """Creates the folder and its missing parents, readable by this user only.

    `Path.mkdir(mode=…, parents=True)` would apply its mode to the last one only. Existing
    folders keep their mode.
    """
    missing = [path, *path.parents]
    for each in reversed([one for one in missing if not one.exists()]):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def create_private_file(path: Path) -> BinaryIO:
    """Creates a file for writing that was never readable by others.

    Raises FileExistsError.
    """
    return open(path, "xb", opener=private_opener)


def private_opener(path: str, flags: int) -> int:
    """The `opener` for `open` that creates files which others cannot read."""
    return os.open(path, flags, PRIVATE_FILE)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes or replaces a file: readers see either the old content or the new.

    The content is not flushed: after a power cut the file may be empty.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with create_private_file(draft) as file:
        file.write(content)
    draft.replace(path)


def restrict_permissions() -> None:
    """Removes access for other users from the state folder, its entries and all keys.

    Raises ImproperlyConfigured for an entry that others can read and another user owns,
    and where the state folder is one that other programs use.
    """
    root: Path = settings.POSTERN.path()
    if not root.exists():
        return
    if root in {*_SHARED_FOLDERS, Path.home()} or root.stat().st_mode & stat.S_ISVTX:
        raise ImproperlyConfigured(
            f"{root} is shared with other programs. Set POSTERN_VAR to a folder that only "
            "Postern uses."
        )
    for path in _protected(root):
        _restrict(path)


def restrict_database_permissions(name: str) -> None:
    """Restricts the files of a SQLite database, which creates them by the umask."""
    for suffix in ("", "-wal", "-shm"):
        _restrict(Path(f"{name}{suffix}"))


def _protected(root: Path) -> Iterator[Path]:
    yield root
    yield from root.iterdir()
    for name in _KEY_FOLDERS:
        if (root / name).is_dir():
            yield from (root / name).iterdir()


def _restrict(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return  # another process has removed it meanwhile
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
            f"Other users of this machine can read {path}, and one of them owns it. Run "
            f"as its owner: chmod {wanted:o} {path}"
        ) from error
