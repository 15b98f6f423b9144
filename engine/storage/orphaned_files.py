"""Deletes files and blobs that no row refers to, which a crash left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from django.conf import settings

from engine.blobs import orphan_sweep
from engine.blobs.interface import Kind
from engine.database import batches
from engine.storage.models import Content

log = logging.getLogger(__name__)

# The state folder's folders of files that are being written.
TEMPORARY = ("spool", "scanning", "backup")


def delete_orphans() -> int:
    """Deletes old bodies without a row and old temporary files; returns how many."""
    removed = _delete_temporary() + orphan_sweep.sweep(Kind.BODY, _named)
    if removed:
        log.info("removed %d orphaned files", removed)
    return removed


def _named(keys: Collection[str]) -> set[str]:
    named = Content.objects.in_blobs(keys)
    return set(named.values_list("blob_key", flat=True))


def _delete_temporary() -> int:
    found = _old_temporary()

    def some() -> int:
        paths = list(islice(found, orphan_sweep.CHUNK))
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    return batches.run(some)


def _old_temporary() -> Iterator[Path]:
    """Yields old regular files; others may delete them meanwhile."""
    before = time.time() - orphan_sweep.AGE_SECONDS
    for name in TEMPORARY:
        for path in settings.POSTERN.path(name).rglob("*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                if S_ISREG(found.st_mode) and found.st_mtime < before:
                    yield path
