"""What a store of blobs does, whatever it is built on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.database.transient_errors import StorageUnavailableError


class Kind(StrEnum):
    """What a blob is, which is the namespace of its key."""

    # Bodies of messages, and attachments of drafts
    BODY = "bodies"
    QUARANTINE = "quarantine"
    LETTER = "letters"
    EXPORT = "exports"
    # Pictures of guides
    PICTURE = "pictures"


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob in a store: its size in octets, and when it was written, as a Unix time."""

    key: str
    size: int
    modified: float


class BlobStoreError(StorageUnavailableError):
    """The store cannot be reached or refuses us; what it holds is unknown.

    For mail it is always temporary. `is_permanent` says that waiting cures nothing and
    an operator must act: wrong credentials, or a bucket that does not exist.
    """

    def __init__(self, text: str, *, is_permanent: bool = False) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent


class BlobDamagedError(BlobStoreError):
    """The store holds something other than the key says."""

    def __init__(self, text: str) -> None:
        super().__init__(text, is_permanent=True)


class BlobStore(Protocol):
    """Keeps blobs under keys. Blocks: call it in a thread. Every method may raise
    BlobStoreError, or another OSError such as that of a full disk."""

    @property
    def name(self) -> str:
        """The name that logs and alarms show, without credentials."""

    @property
    def identity(self) -> str:
        """The same for every process that reads and writes the same blobs."""

    def probe(self) -> None:
        """Writes something small, within a few seconds. Raises BlobStoreError."""

    def put(self, kind: Kind, key: str, path: Path) -> None:
        """Stores a complete file durably before it returns, and takes the file over.

        Repeating it with the same content is harmless.
        """

    def open(self, kind: Kind, key: str) -> BinaryIO:
        """Opens a blob for reading and seeking. Raises FileNotFoundError."""

    def digest(self, kind: Kind, key: str) -> str:
        """Reads a blob where it is stored, past any cache, and returns its SHA-256.

        Raises FileNotFoundError.
        """

    def find(self, kind: Kind, key: str) -> Stored | None:
        """Returns the blob's size and time, or None where it is missing."""

    def delete(self, kind: Kind, key: str) -> None:
        """Deletes a blob; a missing one is no error."""

    def list(self, kind: Kind, *, after: str = "") -> Iterator[Stored]:
        """Yields the blobs whose keys sort after `after`, in the order of their keys."""
