"""Keeps copies of remote blobs on this host's disk, up to POSTERN_BLOB_CACHE_BYTES.

Losing it loses nothing. All processes of a host share it. It is divided into sixteen
folders by the key's first digit, each with a sixteenth of the bound and a lock of its own:
so the bound holds exactly, without a count that a killed process could leave wrong.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from engine.blobs import keys
from engine.secrets import state_folder

FOLDERS = 16
# What another host has erased must not stay here for long.
KEPT_SECONDS = 24 * 60 * 60


def open_copy(key: str) -> BinaryIO | None:
    """Opens the copy of a blob, if it is here and whole."""
    path = _path(key)
    if path is None or not _bound():
        return None
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    if not _is_whole(file, key):
        file.close()
        path.unlink(missing_ok=True)
        return None
    with suppress(FileNotFoundError):
        # The time of access is set here, because file systems are mounted without it.
        os.utime(path, (time.time(), os.fstat(file.fileno()).st_mtime))
    return file


def take_over(key: str, path: Path) -> None:
    """Makes a file the copy of a blob, unless it is too large; then leaves it alone."""
    target = _path(key)
    if target is None:
        return
    size, room = path.stat().st_size, _bound() // FOLDERS
    if size > room:
        return
    state_folder.make_private_folder(target.parent)
    with _locked(target.parent):
        _make_room(target.parent, room - size)
        os.utime(path)
        path.rename(target)


def forget(key: str) -> None:
    """Deletes the copy of a blob."""
    if path := _path(key):
        path.unlink(missing_ok=True)


def _bound() -> int:
    return int(settings.POSTERN.blob_cache_bytes)


def _path(key: str) -> Path | None:
    """Returns the place of a copy; None for a key that cannot be verified."""
    if keys.digest_in(key) is None:
        return None
    path: Path = settings.POSTERN.path("blob-cache", key[0], key)
    return path


def _is_whole(file: BinaryIO, key: str) -> bool:
    """Verifies a copy: it is not flushed to the disk, and a power cut may tear it."""
    is_whole = keys.digest_of(file) == keys.digest_in(key)
    file.seek(0)
    return is_whole


def _make_room(folder: Path, room: int) -> None:
    """Evicts old copies, then those not read for longest, until `room` octets are used."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found.append((entry.stat(), entry.path))
    used = sum(each.st_size for each, _ in found)
    outdated = time.time() - KEPT_SECONDS
    for each, path in sorted(found, key=lambda one: one[0].st_atime):
        if used > room or each.st_mtime < outdated:
            with suppress(FileNotFoundError):
                os.unlink(path)
            used -= each.st_size


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
