"""Exports a mailbox as a ZIP of mbox files, one or more for each folder.

`manifest.json` in it names each file with its number of messages and its SHA-256, so that
a later recipient of the copy can verify that nothing was changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import zipfile
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.blobs import orphan_sweep, store
from engine.blobs.interface import Kind
from engine.database import batches, clock
from engine.encryption import sealed_blobs
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.secrets import state_folder
from engine.storage.exports import mbox, resumable_zip
from engine.storage.exports.resumable_zip import Progress
from engine.storage.models import Export, ExportStatus, Folder, Message
from engine.storage.organising import notes

# How long a finished copy can be downloaded.
KEPT = timedelta(days=3)
# An export that no worker has advanced for this long is restarted.
STALLED = timedelta(minutes=15)
# An export that is older than this is given up.
PATIENCE = timedelta(days=1)
CHUNK = 100
# A slice ends at this many messages or octets, a few seconds' work, so that one large
# mailbox does not keep other long jobs waiting. A larger folder becomes several files.
SLICE = 1_000
SLICE_OCTETS = 128 * 1024 * 1024
UNFINISHED_SUFFIX, PROGRESS_SUFFIX = ".part", ".progress"
UNFINISHED = (ExportStatus.WAITING, ExportStatus.WRITING)


def open_copy(export: Export) -> BinaryIO:
    """Opens the finished copy. Raises as `sealed_blobs.open_blob` does."""
    return sealed_blobs.open_blob(Kind.EXPORT, _key(export))


def _key(export: Export) -> str:
    # Earlier versions named the file after the token.
    return export.blob_key or f"{export.token}.zip"


@transaction.atomic
def start(mailbox: Mailbox, *, folder: Folder | None, by: Person) -> Export:
    """Starts an export; one at a time for each mailbox. Raises PolicyError."""
    # Locks the mailbox's row, so that two requests cannot both find no export.
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if Export.objects.filter(mailbox=mailbox, status__in=UNFINISHED).exists():
        raise PolicyError(
            "This mailbox is being exported already. Wait until the copy is ready."
        )
    rows = Message.objects.filter(mailbox=mailbox)
    total = (rows.filter(folder=folder) if folder else rows).count()
    export = Export.objects.create(
        mailbox=mailbox, folder=folder, person=by, total=total
    )
    record(
        "mailbox.exported",
        mailbox,
        organisation_key=mailbox.organisation_id,
        detail={"folder": folder.name if folder else "", "messages": total},
        by=by,
    )
    return export


def write(export: Export) -> bool:
    """Writes the next slice of the copy; returns whether something is left to write.

    Safe to run twice: a slice that failed is written again, and a lock keeps two processes
    from one file. The slices are on the disk of this host: on another one the copy begins
    again, and the first that is complete counts. The finished copy becomes a blob.
    """
    part, _ = _unfinished(export)
    try:
        with resumable_zip.locked(part) as file:
            return _is_unfinished(export) and _write(export, file)
    except resumable_zip.BusyError:
        return False


def _write(export: Export, file: BinaryIO) -> bool:
    part, progress_file = _unfinished(export)
    with resumable_zip.slice_of(file, progress_file) as (copy, progress):
        is_whole = _Slice(export, copy, progress).write()
        if is_whole:
            copy.writestr("manifest.json", _manifest(export, progress.files))
    if not is_whole:
        _progress(export, progress.done)
        return True
    # Stored before the row says READY: a page must never offer a copy that is not there.
    key = sealed_blobs.adopt(
        Kind.EXPORT, part, organisation_id=export.mailbox.organisation_id
    )
    if not _finish(export, ExportStatus.READY, done=progress.done, blob_key=key):
        sealed_blobs.forget(Kind.EXPORT, key)
        store.discard(Kind.EXPORT, key)
    progress_file.unlink(missing_ok=True)
    return False


def _is_unfinished(export: Export) -> bool:
    """Returns whether something is left to write, and removes what is left over if not."""
    part, progress_file = _unfinished(export)
    if Export.objects.filter(pk=export.pk, status__in=UNFINISHED).exists():
        return True
    part.unlink(missing_ok=True)
    progress_file.unlink(missing_ok=True)
    return False


class _Slice:
    """The next messages of a copy, from where the previous slice ended."""

    def __init__(
        self, export: Export, file: zipfile.ZipFile, progress: Progress
    ) -> None:
        self._export, self._file, self._progress = export, file, progress
        self._messages_left, self._octets_left = SLICE, SLICE_OCTETS
        _progress(export, progress.done)

    def write(self) -> bool:
        """Writes the slice; returns whether every folder is now in the copy."""
        for folder in _folders(self._export, since=self._progress.folder):
            if folder.pk != self._progress.folder:
                self._progress.folder, self._progress.after = folder.pk, 0
            self._add(folder)
            if self._is_full:
                return False
        return True

    @property
    def _is_full(self) -> bool:
        return self._messages_left <= 0 or self._octets_left <= 0

    def _add(self, folder: Folder) -> None:
        """Writes the rest of one folder, or as much as the slice takes, as one file."""
        before, after = self._progress.done, self._progress.after
        name = f"{len(self._progress.files) + 1:02}-{_safe(folder.name)}.mbox"
        digest = hashlib.sha256()
        # The size is unknown before the end, and may exceed 2 GiB: ZIP64 from the start.
        with self._file.open(name, "w", force_zip64=True) as file:
            for message_id, piece in mbox.messages_of(folder, after=after):
                file.write(piece)
                digest.update(piece)
                self._count(message_id, len(piece))
                if self._is_full:
                    break
        self._progress.files.append(
            {
                "file": name,
                "folder": folder.name,
                "messages": self._progress.done - before,
                "sha256": digest.hexdigest(),
            }
        )

    def _count(self, message_id: int, octets: int) -> None:
        self._progress.done += 1
        self._progress.after = message_id
        self._messages_left -= 1
        self._octets_left -= octets
        if self._progress.done % CHUNK == 0:
            _progress(self._export, self._progress.done)


def fail(export: Export) -> None:
    """Marks an export as failed; the holder can start another."""
    _finish(export, ExportStatus.FAILED, done=export.done)


def clean_up() -> list[int]:
    """Deletes expired copies, and gives up exports that are too old.

    Returns the ids of stalled exports to restart.
    """
    now = clock.now()
    unfinished = Export.objects.filter(status__in=UNFINISHED)
    batches.for_each(unfinished.filter(created_at__lt=now - PATIENCE), fail)
    ready = Export.objects.filter(status=ExportStatus.READY)
    batches.for_each(ready.filter(finished_at__lt=now - KEPT), _forget)
    _remove_left_over()
    waiting = Export.objects.filter(status__in=UNFINISHED, moved_at__lt=now - STALLED)
    return list(waiting.values_list("pk", flat=True))


def _forget(old: Export) -> None:
    store.delete(Kind.EXPORT, _key(old))
    sealed_blobs.forget(Kind.EXPORT, _key(old))
    Export.objects.filter(pk=old.pk).update(status=ExportStatus.GONE)


def _remove_left_over() -> None:
    """Deletes unfinished files, and finished copies without a row, of workers that died."""
    before = time.time() - PATIENCE.total_seconds()
    for suffix in (UNFINISHED_SUFFIX, PROGRESS_SUFFIX):
        for path in _folder().glob(f"*{suffix}"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
    orphan_sweep.sweep(Kind.EXPORT, _named)


def _named(keys: Collection[str]) -> set[str]:
    rows = Export.objects.filter(status=ExportStatus.READY)
    # Few: each mailbox has one at a time, for some days.
    return {_key(row) for row in rows.only("blob_key", "token")}.intersection(keys)


def _folder() -> Path:
    """Returns the folder of the copies that this host is writing."""
    return state_folder.subfolder("exporting")


def _unfinished(export: Export) -> tuple[Path, Path]:
    """Returns the paths of the unfinished copy and of its progress file."""
    name = _folder() / str(export.token)
    return name.with_suffix(UNFINISHED_SUFFIX), name.with_suffix(PROGRESS_SUFFIX)


def _folders(export: Export, *, since: int) -> Iterator[Folder]:
    """Yields the folders to copy, by id, from `since` on."""
    rows = Folder.objects.filter(mailbox=export.mailbox_id, pk__gte=since)
    if export.folder is not None:
        rows = rows.filter(pk=export.folder.pk)
    yield from rows.order_by("pk")


def _manifest(export: Export, files: list[dict[str, object]]) -> str:
    facts: dict[str, object] = {
        "mailbox": export.mailbox.address,
        "made_at": timezone.now().isoformat(),
        "made_for": export.person.address,
        "format": "mbox (mboxrd)",
        "files": files,
    }
    left_out = notes.count(export.mailbox)
    if left_out:
        facts["not_included"] = {"internal_notes": left_out}
    return json.dumps(facts, indent=2, ensure_ascii=False)


def _safe(name: str) -> str:
    return re.sub(r"[^\w -]", "-", name).strip()[:60] or "folder"


def _progress(export: Export, done: int) -> None:
    Export.objects.filter(pk=export.pk, status__in=UNFINISHED).update(
        status=ExportStatus.WRITING, done=done, moved_at=clock.now()
    )


def _finish(
    export: Export, status: ExportStatus, *, done: int, blob_key: str = ""
) -> bool:
    """Ends an export; returns False where another process has ended it before."""
    rows = Export.objects.filter(pk=export.pk, status__in=UNFINISHED)
    ended = rows.update(
        status=status, done=done, finished_at=clock.now(), blob_key=blob_key
    )
    return bool(ended)
