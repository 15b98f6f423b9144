"""Copies of mailboxes to take away: a ZIP of one mbox file for each folder.

`manifest.json` in it names each file, how many messages it holds, and its SHA-256, so
that whoever gets the copy later can see that nothing was changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engine import state
from engine.audit.record import record
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import mbox
from engine.storage.models import Export, ExportStatus, Folder, Message

# How long a finished copy stays to be fetched.
KEPT = timedelta(days=3)
# An export at which nobody has written for so long is begun again.
STALLED = timedelta(minutes=15)
# After this long it is not begun again.
PATIENCE = timedelta(days=1)
CHUNK = 100
UNFINISHED_SUFFIX = ".part"
UNFINISHED = (ExportStatus.WAITING, ExportStatus.WRITING)


def path_of(export: Export) -> Path:
    """Where the finished copy is."""
    folder: Path = settings.POSTERN.path("exports")
    return folder / f"{export.token}.zip"


@transaction.atomic
def start(mailbox: Mailbox, *, folder: Folder | None, by: Person) -> Export:
    """Ask for a copy; one at a time for each mailbox. Raises PolicyError."""
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if Export.objects.filter(mailbox=mailbox, status__in=UNFINISHED).exists():
        raise PolicyError("A copy of this mailbox is being made already.")
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


def write(export: Export) -> None:
    """Write the copy, from the beginning, and make it ready. Running it twice is harmless.

    It is written beside its place and renamed, so that a crash leaves nothing half, and
    two workers at once never write into one file.
    """
    target = path_of(export)
    state.make_private(target.parent)
    unfinished = target.with_suffix(f".{uuid4().hex}{UNFINISHED_SUFFIX}")
    with (
        state.create(unfinished) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        copy = _Copy(export, archive)
        for folder in _folders(export):
            copy.add(folder)
        archive.writestr("manifest.json", _manifest(export, copy.files))
    unfinished.rename(target)
    _finish(export, ExportStatus.READY, done=copy.done)


class _Copy:
    """A copy being written: which files are in it, and how many messages."""

    def __init__(self, export: Export, archive: zipfile.ZipFile) -> None:
        self.done = 0
        self.files: list[dict[str, object]] = []
        self._export = export
        self._archive = archive
        _progress(export, 0)

    def add(self, folder: Folder) -> None:
        """Write one folder as one file."""
        name = f"{len(self.files) + 1:02}-{_safe(folder.name)}.mbox"
        digest, before = hashlib.sha256(), self.done
        with self._archive.open(name, "w", force_zip64=True) as file:
            for piece in mbox.messages_of(folder):
                file.write(piece)
                digest.update(piece)
                self._count()
        self.files.append(
            {
                "file": name,
                "folder": folder.name,
                "messages": self.done - before,
                "sha256": digest.hexdigest(),
            }
        )

    def _count(self) -> None:
        self.done += 1
        if self.done % CHUNK == 0:
            _progress(self._export, self.done)


def fail(export: Export) -> None:
    """Give an export up; the holder may ask again."""
    _finish(export, ExportStatus.FAILED, done=export.done)


def sweep() -> list[int]:
    """Remove copies that nobody needs any more, and give up what cannot be made.

    Returns the ids of exports that stand still and are to be begun again.
    """
    now = timezone.now()
    for hopeless in Export.objects.filter(
        status__in=UNFINISHED, created_at__lt=now - PATIENCE
    ):
        fail(hopeless)
    for old in Export.objects.filter(
        status=ExportStatus.READY, finished_at__lt=now - KEPT
    ):
        path_of(old).unlink(missing_ok=True)
        Export.objects.filter(pk=old.pk).update(status=ExportStatus.GONE)
    _remove_left_over()
    waiting = Export.objects.filter(status__in=UNFINISHED, created_at__lt=now - STALLED)
    return list(waiting.values_list("pk", flat=True))


def _remove_left_over() -> None:
    """Remove what workers that died began to write."""
    before = time.time() - PATIENCE.total_seconds()
    for path in settings.POSTERN.path("exports").glob(f"*{UNFINISHED_SUFFIX}"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _folders(export: Export) -> Iterator[Folder]:
    if export.folder is not None:
        yield export.folder
        return
    yield from Folder.objects.filter(mailbox=export.mailbox_id)


def _manifest(export: Export, files: list[dict[str, object]]) -> str:
    facts = {
        "mailbox": export.mailbox.address,
        "made_at": timezone.now().isoformat(),
        "made_for": export.person.address,
        "format": "mbox (mboxrd)",
        "files": files,
    }
    return json.dumps(facts, indent=2, ensure_ascii=False)


def _safe(name: str) -> str:
    return re.sub(r"[^\w -]", "-", name).strip()[:60] or "folder"


def _progress(export: Export, done: int) -> None:
    Export.objects.filter(pk=export.pk, status__in=UNFINISHED).update(
        status=ExportStatus.WRITING, done=done
    )


def _finish(export: Export, status: ExportStatus, *, done: int) -> None:
    Export.objects.filter(pk=export.pk, status__in=UNFINISHED).update(
        status=status, done=done, finished_at=timezone.now()
    )
