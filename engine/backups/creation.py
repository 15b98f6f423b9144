"""Makes a backup: the database in one snapshot first, then the blobs that it refers to.

A blob is written before the row that names it, and deleted after that row. So every blob
that a snapshot refers to existed when the snapshot was taken, and still exists as long as
nothing is deleted: `deletion_pause` sees to that.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from django.conf import settings
from django.db import connection

from engine.backups import postgresql_dump, readme, sqlite_dump, targets
from engine.backups.blob_copy import BlobCopier, Wanted
from engine.backups.manifest import Blob, File, Manifest, described, read_index
from engine.backups.references import Snapshot
from engine.backups.targets import Target
from engine.blobs import deletion_pause, store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.secrets import state_folder

INDEX = "blobs.jsonl"
MANIFEST = "manifest.json"
COPIERS = 4  # blobs copied at the same time: most of the time is spent waiting
SLICE = 500


@dataclass(frozen=True, slots=True)
class Result:
    """A complete backup, and how many of its blobs had to be copied."""

    manifest: Manifest
    copied: int


def create(target: Target) -> Result:
    """Makes a backup. Raises BackupError, OSError, DatabaseError.

    What earlier backups have copied, or one that was interrupted, is not copied again.
    """
    known = _known(target)
    target.write(readme.FILE, [readme.TEXT.encode()])
    with (
        tempfile.TemporaryDirectory(dir=state_folder.subfolder("backup")) as scratch,
        deletion_pause.held() as pause,
        _snapshot(Path(scratch)) as snapshot,
    ):
        folder = Path(scratch)
        name = f"{snapshot.taken_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        files = list(_store_dump(target, name, folder))
        copier = BlobCopier(target, known)
        path = folder / INDEX
        _copy_all(copier, snapshot, path)
        # Had the pause ended early, something that the dump refers to might be gone.
        pause.check()
        index = described(path, INDEX)
        chunks = targets.file_chunks(path)
        target.write(targets.name_in(name, INDEX), chunks, size=index.size)
        manifest = Manifest(
            name=name,
            taken_at=snapshot.taken_at.isoformat(),
            finished_at=clock.now().isoformat(),
            database=connection.vendor,
            migrations=snapshot.migrations,
            counts=snapshot.counts,
            files=files,
            index=index,
            blobs=copier.count,
            octets=copier.octets,
            missing=copier.missing,
            damaged=copier.damaged,
            community=settings.POSTERN.community_domain,
        )
        target.write(targets.name_in(name, MANIFEST), [manifest.to_json()])
    return Result(manifest, copier.copied)


def _snapshot(folder: Path) -> AbstractContextManager[Snapshot]:
    """Dumps the database into a folder."""
    if connection.vendor == "postgresql":
        return postgresql_dump.snapshot(folder)
    return sqlite_dump.snapshot(folder)


def _store_dump(target: Target, backup: str, folder: Path) -> Iterator[File]:
    """Stores the files of the dump, and deletes them from the scratch folder."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        file = described(path, f"database/{path.relative_to(folder)}")
        chunks = targets.file_chunks(path)
        target.write(targets.name_in(backup, file.name), chunks, size=file.size)
        path.unlink()
        yield file


def _copy_all(copier: BlobCopier, snapshot: Snapshot, index: Path) -> None:
    """Copies every blob, several at a time, and writes the index."""
    wanted = chain(_bodies(snapshot), _others())
    with (
        state_folder.create_private_file(index) as file,
        ThreadPoolExecutor(COPIERS) as threads,
    ):
        # In slices: the executor would take in all of a long list at once.
        while some := list(islice(wanted, SLICE)):
            for blob, is_copied in threads.map(copier.copy, some):
                copier.count_in(blob, is_copied=is_copied)
                file.write(blob.to_line())


def _bodies(snapshot: Snapshot) -> Iterable[Wanted]:
    for one in snapshot.references():
        yield Wanted(Kind.BODY, one.key, one.digest if one.format == 1 else "")


def _others() -> Iterable[Wanted]:
    """What few rows refer to: everything that the store has at this moment."""
    for kind in Kind:
        if kind is not Kind.BODY:
            for found in store.listing(kind):
                yield Wanted(kind, found.key, "")


def _known(target: Target) -> dict[tuple[str, str], Blob]:
    """Returns the blobs of the last complete backup, by kind and key."""
    names = target.backups()
    if not names:
        return {}
    with target.open(targets.name_in(names[-1], INDEX)) as file:
        return {(one.kind, one.key): one for one in read_index(file)}
