"""Message bodies too large for the database, as files that are written once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from engine import state

_FLUSHED_FOLDERS: set[Path] = set()


def folder() -> Path:
    """Where blobs are kept."""
    path: Path = settings.POSTERN.path("blobs")
    return path


def spool_folder() -> Path:
    """Where a body is written while it arrives: the same file system as the blobs."""
    return state.folder("spool")


def adopt(spooled: Path) -> str:
    """Make a completely written spool file a blob, durably, and return its key.

    The file is flushed, renamed and its folder flushed before this returns, so that a
    row naming the key never points at nothing, even after a power cut.
    """
    key = secrets.token_hex(16)
    target = _path(key)
    with spooled.open("rb") as file:
        os.fsync(file.fileno())
    _make_folder(target.parent)
    spooled.rename(target)
    _flush_folder(target.parent)
    return key


def open_blob(key: str) -> BinaryIO:
    """Open a blob for reading. Raises FileNotFoundError when it is gone."""
    return _path(key).open("rb")


def delete(key: str) -> None:
    """Remove a blob; one already gone is no error."""
    _path(key).unlink(missing_ok=True)


def _path(key: str) -> Path:
    if len(key) != 32 or not key.isalnum():
        raise ValueError("A blob key is 32 hexadecimal digits.")
    return folder() / key[:2] / key


def _make_folder(path: Path) -> None:
    if path in _FLUSHED_FOLDERS and path.is_dir():
        return
    state.make_private(path)
    _flush_folder(path.parent)
    _FLUSHED_FOLDERS.add(path)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
