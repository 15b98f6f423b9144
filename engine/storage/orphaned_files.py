"""Deletes files that no row refers to, which a crash or a lost reply left behind."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from stat import S_ISREG

from django.conf import settings

from engine.database import batches
from engine.storage import blob_store
from engine.storage.models import Content

log = logging.getLogger(__name__)

# No message takes this long to arrive, so an older file without a row is an orphan.
AGE_SECONDS = 24 * 60 * 60
# Files looked up with one query.
CHUNK = 500


def delete_orphans() -> int:
    """Deletes old orphaned files; returns how many.

    Works in slices, because listing a large store takes minutes. It starts with another
    folder each time, so that a store too large for one job is covered by several.
    """
    found = chain(_old(_temporary()), _old(_blobs()))
    removed: list[int] = []

    def some() -> int:
        paths = list(islice(found, CHUNK))
        removed.append(_remove_unnamed(paths))
        return len(paths)

    batches.run(some)
    if sum(removed):
        log.info("removed %d orphaned files", sum(removed))
    return sum(removed)


def _temporary() -> Iterator[Path]:
    for name in ("spool", "scanning"):
        yield from settings.POSTERN.path(name).rglob("*")


def _blobs() -> Iterator[Path]:
    # In random order, so that a run that ends early does not always skip the same folders.
    folders = list(blob_store.folder().glob("*"))
    random.shuffle(folders)
    for folder in folders:
        yield from folder.rglob("*")


def _remove_unnamed(paths: list[Path]) -> int:
    """Deletes the files that no content names. A spool file's name is never a key."""
    named = Content.objects.in_blobs([path.name for path in paths])
    keys = set(named.values_list("blob_key", flat=True))
    unnamed = [path for path in paths if path.name not in keys]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def _old(paths: Iterable[Path]) -> Iterator[Path]:
    """Yields regular files older than AGE_SECONDS; others may delete them meanwhile."""
    before = time.time() - AGE_SECONDS
    for path in paths:
        with suppress(FileNotFoundError):
            found = path.stat()
            if S_ISREG(found.st_mode) and found.st_mtime < before:
                yield path
