"""Copies blobs from the store into a backup, and verifies each by its digest."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from engine.backups.manifest import Blob, HashingReader
from engine.backups.targets import Target, blob_name
from engine.blobs import keys, store
from engine.blobs.interface import BlobStoreError, Kind

log = logging.getLogger(__name__)

MISSING, DAMAGED = "missing", "damaged"


class Wanted(NamedTuple):
    """A blob to copy, with its SHA-256 where a row says it."""

    kind: Kind
    key: str
    digest: str


class BlobCopier:
    """Copies blobs; any number of threads may call `copy`.

    `known` are the blobs of an earlier complete backup in the same target.
    """

    def __init__(self, target: Target, known: Mapping[tuple[str, str], Blob]) -> None:
        self._target, self._known = target, known
        self.count = self.octets = self.copied = 0
        self.missing = self.damaged = 0

    def copy(self, wanted: Wanted) -> tuple[Blob, bool]:
        """Returns what the backup has of a blob, and whether it was copied now.

        Raises OSError where the store or the target fails.
        """
        kind, key, _ = wanted
        expected = keys.digest_in(key) or wanted.digest
        if present := self._present(wanted, expected):
            return present, False
        try:
            source = store.open_blob(kind, key)
        except FileNotFoundError:
            return Blob(kind.value, key, fault=MISSING), False
        except BlobStoreError as error:
            # A store may verify what it reads. One that refuses us says so here again.
            if not error.is_permanent or not store.exists(kind, key):
                raise
            return Blob(kind.value, key, fault=DAMAGED), False
        with source:
            reader = HashingReader(source)
            self._target.write(blob_name(kind.value, key), reader.chunks())
        is_damaged = bool(expected) and reader.sha256 != expected
        fault = DAMAGED if is_damaged else ""
        return Blob(kind.value, key, reader.size, reader.sha256, fault), True

    def _present(self, wanted: Wanted, expected: str) -> Blob | None:
        """Returns the blob if the target has it already, with the right digest."""
        name = blob_name(wanted.kind.value, wanted.key)
        size = self._target.size(name)
        if size is None:
            return None
        known = self._known.get((wanted.kind.value, wanted.key))
        if known and not known.fault and known.size == size:
            return known
        # Of an interrupted backup: no index says what was copied.
        with self._target.open(name) as file:
            digest = keys.digest_of(file)
        if digest != expected:
            return None
        return Blob(wanted.kind.value, wanted.key, size, digest)

    def count_in(self, blob: Blob, *, is_copied: bool) -> None:
        """Counts what `copy` returned. Not for several threads."""
        self.count += 1
        self.octets += blob.size
        self.copied += is_copied
        self.missing += blob.fault == MISSING
        self.damaged += blob.fault == DAMAGED
        if blob.fault:
            log.error("blob %s of %s is %s", blob.key, blob.kind, blob.fault)
