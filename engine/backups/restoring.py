"""Restores a backup into an empty host: the database first, then the blobs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from engine.audit.checkpoints import verification
from engine.audit.record import record as audit
from engine.backups import (
    damage_report,
    postgresql_dump,
    prepare_restored,
    sqlite_dump,
    targets,
)
from engine.backups.blob_copy import DAMAGED, MISSING
from engine.backups.creation import COPIERS, MANIFEST, SLICE
from engine.backups.manifest import (
    BackupError,
    Blob,
    File,
    HashingReader,
    Manifest,
    read_index,
)
from engine.backups.models import Restore
from engine.backups.targets import Target, blob_name, name_in
from engine.blobs import store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.secrets import state_folder


@dataclass(frozen=True, slots=True)
class Result:
    """What a restore brought back, and what it did not.

    `held` counts the recipients whose mail may have left already; `losses` describes
    what could not be restored, a line for each message or file.
    """

    manifest: Manifest
    held: int
    blobs: int
    losses: list[str]
    audit_entries: int


def restore(target: Target, name: str = "") -> Result:
    """Restores the backup of that name, by default the newest.

    Goes on with a restore that was interrupted. Raises BackupError, OSError,
    DatabaseError, BrokenChainError.
    """
    manifest = read_manifest(target, name)
    with _scratch() as folder:
        # A copy: a download that is read as slowly as blobs are copied would be cut off.
        index = _fetch(target, manifest, manifest.index, folder)
        begun = _begun(manifest)
        if begun is None:
            _refuse_unless_empty()
            _check_versions(manifest)
            _load_database(target, manifest)
            begun = prepare_restored.prepare(
                manifest.name, datetime.fromisoformat(manifest.taken_at)
            )
        faults: list[Blob] = []
        count = _copy_blobs(target, index, faults)
    losses = list(damage_report.lines(faults))
    entries = verification.verify_chain()
    begun.finished_at = clock.now()
    begun.save()
    held = prepare_restored.held_count()
    detail = {"taken_at": manifest.taken_at, "held": held, "losses": len(losses)}
    audit("service.restored", begun, detail=detail, by=None)
    # Sessions, rate counters and everything else that another history left there.
    cache.clear()
    return Result(manifest, held, count, losses, entries)


def read_manifest(target: Target, name: str = "") -> Manifest:
    """Reads the manifest of a backup, by default the newest. Raises BackupError."""
    names = target.backups()
    if not names or (name and name not in names):
        wanted = f"complete backup {name}" if name else "complete backup"
        raise BackupError(f"{target.name} has no {wanted}.", is_permanent=True)
    chosen = name or names[-1]
    return Manifest.from_json(targets.read_all(target, name_in(chosen, MANIFEST)))


def _begun(manifest: Manifest) -> Restore | None:
    """Returns the restore of this backup that was interrupted, if there is one."""
    if Restore._meta.db_table not in connection.introspection.table_names():
        return None
    unfinished = Restore.objects.filter(finished_at=None, name=manifest.name)
    return unfinished.first()


def _refuse_unless_empty() -> None:
    if tables := connection.introspection.table_names():
        raise BackupError(
            f"The database is not empty: it has {len(tables)} tables. Create an empty "
            "one, or drop this one if it holds nothing that is needed.",
            is_permanent=True,
        )
    for kind in Kind:
        for found in store.listing(kind):
            raise BackupError(
                f"The blob store is not empty: it has {kind.value}/{found.key}. Restore "
                "into an empty store.",
                is_permanent=True,
            )


def _check_versions(manifest: Manifest) -> None:
    if manifest.database != connection.vendor:
        raise BackupError(
            f"The backup is of {manifest.database}, and POSTERN_DATABASE_URL names "
            f"{connection.vendor}.",
            is_permanent=True,
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    ours = {one.partition(".")[0] for one in known}
    later = [
        one
        for one in manifest.migrations
        if one not in known and one.partition(".")[0] in ours
    ]
    if later:
        raise BackupError(
            f"The backup was made by a later version: it has {', '.join(later[:3])}. "
            "Restore it with that version.",
            is_permanent=True,
        )


def _load_database(target: Target, manifest: Manifest) -> None:
    with _scratch() as folder:
        for file in manifest.files:
            _fetch(target, manifest, file, folder)
        if connection.vendor == "postgresql":
            postgresql_dump.restore(folder)
        else:
            sqlite_dump.restore(folder)
    call_command("migrate", verbosity=0, skip_checks=True)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Makes a scratch folder, which is deleted at the end."""
    parent = state_folder.subfolder("backup")
    with tempfile.TemporaryDirectory(dir=parent) as scratch:
        yield Path(scratch)


def _fetch(target: Target, manifest: Manifest, file: File, folder: Path) -> Path:
    """Copies one file of the backup into the scratch folder, and verifies it."""
    path = folder / file.name.removeprefix("database/")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BackupError(f"{file.name} is no name of a file.", is_permanent=True)
    state_folder.make_private_folder(path.parent)
    try:
        digest = _copied(target, name_in(manifest.name, file.name), path)
    except FileNotFoundError as error:
        raise BackupError(f"{file.name} is missing.", is_permanent=True) from error
    if digest != file.sha256:
        raise BackupError(
            f"{file.name} is damaged. Restore another backup.", is_permanent=True
        )
    return path


def _copy_blobs(target: Target, index: Path, faults: list[Blob]) -> int:
    """Copies every blob; appends those that are missing or damaged. Returns how many."""
    count = 0
    with index.open("rb") as file, ThreadPoolExecutor(COPIERS) as threads:
        wanted = read_index(file)
        while some := list(islice(wanted, SLICE)):
            found = list(threads.map(lambda one: _copy(target, one), some))
            faults += [one for one in found if one.fault]
            count += sum(one.fault != MISSING for one in found)
    return count


def _copy(target: Target, blob: Blob) -> Blob:
    """Copies a blob unless the store has it; returns it with its present fault."""
    kind = Kind(blob.kind)
    if blob.fault == MISSING:
        return blob
    present = store.configured().find(kind, blob.key)
    if present and present.size == blob.size:
        return blob
    path = store.spool_folder() / f"restore-{blob.kind}-{blob.key.replace('/', '-')}"
    path.unlink(missing_ok=True)
    try:
        digest = _copied(target, blob_name(blob.kind, blob.key), path)
    except FileNotFoundError:
        return Blob(blob.kind, blob.key, fault=blob.fault or MISSING)
    store.configured().put(kind, blob.key, path)
    if digest == blob.sha256:
        return blob
    return Blob(blob.kind, blob.key, blob.size, digest, DAMAGED)


def _copied(target: Target, name: str, path: Path) -> str:
    """Copies a file of the target into a new scratch file, and returns its digest."""
    with target.open(name) as source, state_folder.create_private_file(path) as copy:
        reader = HashingReader(source)
        for chunk in reader.chunks():
            copy.write(chunk)
    return reader.sha256
