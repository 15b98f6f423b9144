"""Stores message bodies that are too large for the database, as files written once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from engine.secrets import state_folder

_FLUSHED_FOLDERS: set[Path] = set()


def folder() -> Path:
    """Returns the folder of the blobs."""
    path: Path = settings.POSTERN.path("blobs")
    return path


def spool_folder() -> Path:
    """Returns the folder where a body is written while it arrives.

    On the same file system as the blobs, so that `adopt` can rename instead of copying.
    """
    return state_folder.subfolder("spool")


def adopt(spooled: Path) -> str:
    """Makes a complete spool file a blob, durably, and returns its key.

    Flushes the file, renames it, and flushes the folder, so that a row with the key never
    refers to a missing file, even after a power cut.
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
    """Opens a blob for reading. Raises FileNotFoundError."""
    return _path(key).open("rb")


def delete(key: str) -> None:
    """Deletes a blob; a missing one is no error."""
    _path(key).unlink(missing_ok=True)


def _path(key: str) -> Path:
    # Keys come from the database; this keeps a corrupt one from leaving the folder.
    if len(key) != 32 or not key.isalnum():
        raise ValueError("A blob key is 32 hexadecimal digits.")
    return folder() / key[:2] / key


def _make_folder(path: Path) -> None:
    # Flushing the parent makes the new folder itself durable. Once per process: it costs
    # a disk flush, and there are only 256 of them.
    if path in _FLUSHED_FOLDERS and path.is_dir():
        return
    state_folder.make_private_folder(path)
    _flush_folder(path.parent)
    _FLUSHED_FOLDERS.add(path)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
