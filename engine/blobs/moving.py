"""Moves blobs from the second store to the first, while the service runs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine.blobs import keys, store
from engine.blobs.interface import BlobDamagedError, BlobStore, Kind


@dataclass(slots=True)
class Moved:
    """How many blobs were moved, and their octets.

    `damaged` holds the keys of those that are not what their key says, and stayed.
    """

    count: int = 0
    octets: int = 0
    damaged: list[str] = field(default_factory=list)


def move(
    kind: Kind,
    *,
    source: BlobStore,
    target: BlobStore,
    report: Callable[[Moved], None],
) -> Moved:
    """Moves every blob of a kind, and calls `report` after each.

    A blob is deleted from the source once the target has been read and holds the same. So
    what the source lists is what is left, and a run that was stopped is simply repeated.
    """
    moved = Moved()
    for found in source.list(kind):
        try:
            moved.octets += _move_one(kind, found.key, source, target)
            moved.count += 1
        except FileNotFoundError:
            continue  # erased meanwhile, in both
        except BlobDamagedError:
            moved.damaged.append(found.key)
        report(moved)
    return moved


def _move_one(kind: Kind, key: str, source: BlobStore, target: BlobStore) -> int:
    with tempfile.NamedTemporaryFile(dir=store.spool_folder(), delete=False) as file:
        path = Path(file.name)
        try:
            digest, size = _copy(kind, key, source, file)
            file.flush()
            target.put(kind, key, path)
        finally:
            path.unlink(missing_ok=True)
    if target.digest(kind, key) != digest:
        raise BlobDamagedError(f"{target.name} does not hold {key} as it was sent.")
    # Where it was erased while it was on its way, the target's copy is an orphan, which the
    # sweep deletes. Deleted here, a second run at the same time could take what the first
    # has moved for erased.
    source.delete(kind, key)
    return size


def _copy(kind: Kind, key: str, source: BlobStore, file: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source.open(kind, key) as opened:
        while chunk := opened.read(keys.CHUNK):
            digest.update(chunk)
            file.write(chunk)
            size += len(chunk)
    if keys.digest_in(key) not in (None, digest.hexdigest()):
        raise BlobDamagedError(f"{kind}/{key} in {source.name} is damaged.")
    return digest.hexdigest(), size
