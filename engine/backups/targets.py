"""Where backups are kept: a folder of another machine's file system, or an S3 bucket.

README.txt
blobs/bodies/ab/ab12…            every blob once, shared by all backups
backups/20261129T183000Z/        one backup; without manifest.json it is incomplete
    manifest.json
    blobs.jsonl                  which blobs its database refers to
    database/…                   the dump
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from engine.backups.manifest import BackupError
from engine.backups.s3_target import SETTING, S3Target
from engine.blobs.s3_address import S3Address
from engine.secrets import state_folder


class Target(Protocol):
    """Keeps files by name. Blocks; for several threads. Every method may raise OSError."""

    @property
    def name(self) -> str:
        """Its name for people, without credentials."""

    def write(self, name: str, chunks: Iterable[bytes], *, size: int = 0) -> None:
        """Stores a file durably; it appears whole or not at all.

        `size` is that of all chunks, where it is known.
        """

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading it once. Raises FileNotFoundError."""

    def size(self, name: str) -> int | None:
        """Returns a file's size, or None where it is missing."""

    def backups(self) -> list[str]:
        """Returns the names of complete backups, the oldest first."""


class FolderTarget:
    """A folder, which is created where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self._folder)

    def write(self, name: str, chunks: Iterable[bytes], *, size: int = 0) -> None:
        """Writes beside the file's place, flushes, and renames."""
        path = self._folder / name
        self._make_folder(path.parent)
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        with state_folder.create_private_file(draft) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _flush(path.parent)

    def open(self, name: str) -> BinaryIO:
        """Opens the file."""
        return (self._folder / name).open("rb")

    def size(self, name: str) -> int | None:
        """Returns the file's size."""
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def backups(self) -> list[str]:
        """Returns the folders that have a manifest."""
        found = self._folder.glob("backups/*/manifest.json")
        return sorted(path.parent.name for path in found)

    def _make_folder(self, path: Path) -> None:
        if path not in self._made:
            state_folder.make_private_folder(path)
            _flush(path.parent)
            self._made.add(path)


def open_target(place: str = "") -> Target:
    """Returns the target of a command's argument, or of POSTERN_BACKUP_TARGET.

    Raises BackupError.
    """
    if "@" in place and place.startswith("s3:"):
        raise BackupError(
            "Every user of this machine can see the secret of a command's arguments. "
            f"Set {SETTING} to the URL, and leave the argument out.",
            is_permanent=True,
        )
    place = place or settings.POSTERN.backup_target
    if not place:
        raise BackupError(
            f"Name the folder, or set {SETTING} to it or to a bucket.",
            is_permanent=True,
        )
    if place.startswith("s3:"):
        return S3Target(_address(place))
    if "://" in place:
        raise BackupError(f"{place} is no folder.", is_permanent=True)
    return FolderTarget(Path(place).absolute())


def _address(url: str) -> S3Address:
    try:
        return S3Address.parse(url)
    except ValueError as error:
        raise BackupError(str(error), is_permanent=True) from None


def read_all(target: Target, name: str) -> bytes:
    """Reads a small file. Raises FileNotFoundError."""
    with target.open(name) as file:
        return file.read()


def blob_name(kind: str, key: str) -> str:
    """Returns the name of a blob in a target."""
    return f"blobs/{kind}/{key[:2]}/{key}"


def name_in(backup: str, name: str) -> str:
    """Returns the name in a target of a file of one backup."""
    return f"backups/{backup}/{name}"


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yields a file's content."""
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            yield chunk


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
