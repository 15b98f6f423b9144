"""A cache in files, which the processes of one host share and which counts exactly."""

from __future__ import annotations

import fcntl
import os
import pickle
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

from engine.caches.counting import Count, as_count, incremented
from engine.secrets import state_folder

# One write in this many checks whether entries must be evicted. Listing 9,000 files takes
# 5 ms, which Django's backend spends on every write.
CULL_CHANCE = 200
# The share of MAX_ENTRIES that eviction leaves.
KEPT_SHARE = 2 / 3
_random = random.SystemRandom()


class FileCache(FileBasedCache):
    """Django's file-based cache with atomic counts and cheaper eviction.

    Django lists all files before each write; here only a few writes do, and outside the
    lock that serialises counts. Expired entries are evicted first, then those that expire
    soonest.
    """

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        """Stores the value for `timeout` seconds, as in Django; may evict others."""
        super().set(key, value, timeout, version)
        self._cull_sometimes()

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """Stores the value unless the key exists, and returns whether it did.

        Django checks first and writes later, so that two callers at the same time can
        both succeed; under the lock exactly one does.
        """
        with self._locked():
            if self.has_key(key, version):
                return False
            super().set(key, value, timeout, version)
        self._cull_sometimes()
        return True

    def count(self, key: str, seconds: int) -> Count:
        """Counts one more under the key, for `seconds` after its first."""
        with self._locked():
            stored = incremented(self.get(key), seconds)
            super().set(key, stored, max(0.0, stored[0] - time.time()))
        self._cull_sometimes()
        return as_count(stored)

    def _cull(self) -> None:
        """Does nothing, because Django calls it before each write."""

    def _cull_sometimes(self) -> None:
        if not _random.randrange(CULL_CHANCE):
            self.cull()

    def cull(self) -> None:
        """Evicts entries where there are more than MAX_ENTRIES."""
        names = self._names()
        if len(names) <= cast(Any, self)._max_entries:
            return
        by_expiry = sorted((self._expires_at(name), name) for name in names)
        surplus = len(names) - int(cast(Any, self)._max_entries * KEPT_SHARE)
        now = time.time()
        for number, (expires_at, name) in enumerate(by_expiry):
            if expires_at < now or number < surplus:
                self._remove(name, expires_at)

    def _names(self) -> list[str]:
        with os.scandir(cast(Any, self)._dir) as entries:
            return [one.path for one in entries if one.name.endswith(self.cache_suffix)]

    def _expires_at(self, name: str) -> float:
        """Returns when an entry expires: 0 where it is unreadable or already deleted."""
        try:
            with open(name, "rb") as file:
                # Django 5.2 writes the expiry first. Only this service can write here.
                expires_at = pickle.load(file)  # noqa: S301
        except (FileNotFoundError, EOFError, pickle.UnpicklingError):
            return 0.0
        return float("inf") if expires_at is None else float(expires_at)

    def _remove(self, name: str, expires_at: float) -> None:
        """Deletes an entry unless it has been written again since it was listed."""
        with self._locked(), suppress(FileNotFoundError):
            if self._expires_at(name) == expires_at:
                os.remove(name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the lock of this cache's folder against other threads and processes."""
        folder = cast(Any, self)._dir
        os.makedirs(folder, state_folder.PRIVATE_FOLDER, exist_ok=True)
        name = os.path.join(folder, ".lock")
        with open(name, "ab", opener=state_folder.private_opener) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
