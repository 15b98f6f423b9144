"""Keeps blobs as files in the state folder: the store of a single host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from django.conf import settings

from engine.blobs import keys
from engine.blobs.interface import Kind, Stored
from engine.secrets import state_folder

_FOLDERS = {Kind.BODY: "blobs", Kind.PICTURE: "media"}
_FLUSHED_FOLDERS: set[Path] = set()


class LocalStore:
    """A folder of files for each kind.

    Bodies, which may be millions, are spread over 256 folders by the key's first digits.
    """

    @property
    def name(self) -> str:
        """The state folder."""
        return str(settings.POSTERN.path())

    @property
    def identity(self) -> str:
        """The state folder and its machine: containers of one may share it."""
        return f"files {state_folder.identity()}"

    def probe(self) -> None:
        """Does nothing: the disk has alarms of its own."""

    def put(self, kind: Kind, key: str, path: Path) -> None:
        """Flushes the file, renames it into its place, and flushes the folder.

        So a row with the key never refers to a missing file, even after a power cut. The
        file must be on the file system of the state folder.
        """
        target = path_of(kind, key)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        _make_folder(target.parent)
        path.rename(target)
        _flush_folder(target.parent)

    def open(self, kind: Kind, key: str) -> BinaryIO:
        """Opens the file. Raises FileNotFoundError."""
        return path_of(kind, key).open("rb")

    def digest(self, kind: Kind, key: str) -> str:
        """Reads the file and returns its SHA-256. Raises FileNotFoundError."""
        with self.open(kind, key) as file:
            return keys.digest_of(file)

    def find(self, kind: Kind, key: str) -> Stored | None:
        """Returns the file's size and time."""
        return _stored(key, path_of(kind, key))

    def delete(self, kind: Kind, key: str) -> None:
        """Deletes the file."""
        path_of(kind, key).unlink(missing_ok=True)

    def list(self, kind: Kind, *, after: str = "") -> Iterator[Stored]:
        """Yields the files; others may add and delete some meanwhile."""
        root = folder(kind)
        start = f"{after[:2]}/{after}" if after and kind is Kind.BODY else after
        for name in _names(root, "", start):
            key = name.rpartition("/")[2] if kind is Kind.BODY else name
            if found := _stored(key, root / name):
                yield found


def folder(kind: Kind) -> Path:
    """Returns the folder of a kind."""
    path: Path = settings.POSTERN.path(_FOLDERS.get(kind, kind.value))
    return path


def path_of(kind: Kind, key: str) -> Path:
    """Returns the file of a blob. Raises ValueError for what cannot be a key."""
    keys.check(key)
    if kind is Kind.BODY:
        return folder(kind) / key[:2] / key
    return folder(kind) / key


def _names(root: Path, folder_name: str, after: str) -> Iterator[str]:
    """Yields the files below a folder by name, in the order of their names."""
    try:
        with os.scandir(root / folder_name) as found:
            # A folder sorts as the names of its files do.
            entries = sorted(
                f"{folder_name}{one.name}{'/' * one.is_dir()}" for one in found
            )
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in entries:
        if name.endswith("/"):
            if name > after or after.startswith(name):
                yield from _names(root, name, after)
        elif name > after:
            yield name


def _stored(key: str, path: Path) -> Stored | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not S_ISREG(found.st_mode):
        return None
    return Stored(key, found.st_size, found.st_mtime)


def _make_folder(path: Path) -> None:
    # Flushing the parent makes the new folder itself durable. Once per process: it costs
    # a disk flush, and there are few of them.
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
