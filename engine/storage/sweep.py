"""Removing files that nothing speaks of: what a crash or a lost reply left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings

from engine.storage import blobs
from engine.storage.models import Content

log = logging.getLogger(__name__)

# Nothing on its way in takes this long, so whatever is older belongs to nobody.
AGE_SECONDS = 24 * 60 * 60
# Files looked at in one question to the database.
CHUNK = 500


def sweep() -> int:
    """Remove what is left over and old; return how many files that were."""
    removed = 0
    for folder in ("spool", "scanning"):
        for path in _old(settings.POSTERN.path(folder)):
            path.unlink(missing_ok=True)
            removed += 1
    found = _old(blobs.folder())
    while chunk := list(islice(found, CHUNK)):
        removed += _remove_unnamed(chunk)
    if removed:
        log.info("removed %d files that nothing speaks of", removed)
    return removed


def _remove_unnamed(paths: list[Path]) -> int:
    named = Content.objects.in_blobs([path.name for path in paths])
    keys = set(named.values_list("blob_key", flat=True))
    unnamed = [path for path in paths if path.name not in keys]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def _old(folder: Path) -> Iterator[Path]:
    before = time.time() - AGE_SECONDS
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_mtime < before:
            yield path
