"""The manifest of a backup: what it holds, and how each file is verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

FORMAT = 1
CHUNK = 1024 * 1024


class BackupError(Exception):
    """A backup or a restore failed.

    `is_permanent` says that repeating it cures nothing: an operator must act first.
    """

    def __init__(self, text: str, *, is_permanent: bool) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent

    @property
    def advice(self) -> str:
        """What to do about it, as a sentence."""
        if self.is_permanent:
            return "Repeating it does not help: resolve the cause first."
        return "Run it again: it continues where it stopped."


@dataclass(frozen=True, slots=True)
class File:
    """A file of the database's dump, by its name in the backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that the dump refers to.

    `fault` is empty, `missing` or `damaged`. A damaged one is kept as it was found;
    `size` and `sha256` are of what is in the backup.
    """

    kind: str
    key: str
    size: int = 0
    sha256: str = ""
    fault: str = ""

    def to_line(self) -> bytes:
        """Returns its line of the index."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_index(file: BinaryIO) -> Iterator[Blob]:
    """Yields the blobs of an index. Raises BackupError for a line that is none."""
    for line in file:
        try:
            yield Blob(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise BackupError(
                f"The index of blobs is damaged: {error}", is_permanent=True
            ) from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """One complete backup. Times are in ISO 8601, by the database's clock."""

    name: str
    taken_at: str
    finished_at: str
    database: str
    migrations: list[str]
    counts: dict[str, int]
    files: list[File]
    index: File
    blobs: int
    octets: int
    missing: int
    damaged: int
    format: int = FORMAT
    community: str = ""

    def to_json(self) -> bytes:
        """Returns the file's content."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """Reads what `to_json` returned. Raises BackupError."""
        try:
            document = json.loads(content)
            if document["format"] > FORMAT:
                raise BackupError(
                    f"The backup has format {document['format']}, and this version reads "
                    f"up to {FORMAT}. Restore it with the version that made it, or later.",
                    is_permanent=True,
                )
            document["files"] = [File(**one) for one in document["files"]]
            document["index"] = File(**document["index"])
            return cls(**document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError(
                f"The manifest cannot be read: {error}", is_permanent=True
            ) from error

    @property
    def is_whole(self) -> bool:
        """Whether every blob that the dump refers to is in the backup, undamaged."""
        return not self.missing and not self.damaged


class HashingReader:
    """Reads a file and computes size and SHA-256 of what was read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.size = 0

    def chunks(self) -> Iterator[bytes]:
        """Yields the rest of the file."""
        while chunk := self._source.read(CHUNK):
            self._digest.update(chunk)
            self.size += len(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """The digest of what was read, in hexadecimal."""
        return self._digest.hexdigest()


def described(path: Path, name: str) -> File:
    """Returns the entry of a file."""
    with path.open("rb") as file:
        reader = HashingReader(file)
        for _ in reader.chunks():
            pass
    return File(name, reader.size, reader.sha256)
