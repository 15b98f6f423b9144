"""Deletes blobs that no row refers to, which a crash or a lost reply left behind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice, takewhile

from engine.blobs import store
from engine.blobs.interface import Kind, Stored
from engine.database import batches

# Nothing takes this long from its blob to its row, so an older one without is an orphan.
AGE_SECONDS = 24 * 60 * 60
# Blobs looked up with one query.
CHUNK = 500


def sweep(kind: Kind, named: Callable[[Collection[str]], Collection[str]]) -> int:
    """Deletes the old blobs of a kind that no row names; returns how many.

    `named` returns those of the given keys that rows name. Works in slices, because
    listing a large store takes minutes, and starts at another key each time, so that a
    store too large for one job is covered by several.
    """
    found = _from_anywhere(kind)
    removed: list[int] = []

    def some() -> int:
        before = time.time() - AGE_SECONDS
        listed = list(islice(found, CHUNK))
        old = [one.key for one in listed if one.modified < before]
        unnamed = set(old).difference(named(old)) if old else set()
        store.delete(kind, *unnamed)
        removed.append(len(unnamed))
        return len(listed)

    batches.run(some)
    return sum(removed)


def _from_anywhere(kind: Kind) -> Iterator[Stored]:
    """Yields all blobs of a kind from a random key on, and then those before it."""
    start = secrets.token_hex(2)
    return chain(
        store.listing(kind, after=start),
        takewhile(lambda one: one.key <= start, store.listing(kind)),
    )
