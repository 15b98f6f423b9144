"""Removing files that nothing speaks of: what a crash or a lost reply left behind."""

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

from engine import slices
from engine.storage import blob_store
from engine.storage.models import Content

log = logging.getLogger(__name__)

# Nothing on its way in takes this long, so whatever is older belongs to nobody.
AGE_SECONDS = 24 * 60 * 60
# Files looked at in one question to the database.
CHUNK = 500


def sweep() -> int:
    """Remove what is left over and old; return how many files that were.

    A job of its own, in slices: looking through a large store takes minutes. It begins
    with another folder each time, so that one too large for a job is looked through in
    several.
    """
    found = chain(_old(_temporary()), _old(_blobs()))
    removed: list[int] = []

    def some() -> int:
        paths = list(islice(found, CHUNK))
        removed.append(_remove_unnamed(paths))
        return len(paths)

    slices.work(some)
    if sum(removed):
        log.info("removed %d files that nothing speaks of", sum(removed))
    return sum(removed)


def _temporary() -> Iterator[Path]:
    for name in ("spool", "scanning"):
        yield from settings.POSTERN.path(name).rglob("*")


def _blobs() -> Iterator[Path]:
    folders = list(blob_store.folder().glob("*"))
    random.shuffle(folders)
    for folder in folders:
        yield from folder.rglob("*")


def _remove_unnamed(paths: list[Path]) -> int:
    """Remove those that no content names; a spooled file has no key's name."""
    named = Content.objects.in_blobs([path.name for path in paths])
    keys = set(named.values_list("blob_key", flat=True))
    unnamed = [path for path in paths if path.name not in keys]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def _old(paths: Iterable[Path]) -> Iterator[Path]:
    """Regular files that have lain for long; others may be removing them meanwhile."""
    before = time.time() - AGE_SECONDS
    for path in paths:
        with suppress(FileNotFoundError):
            found = path.stat()
            if S_ISREG(found.st_mode) and found.st_mtime < before:
                yield path
