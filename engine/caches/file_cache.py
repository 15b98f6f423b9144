"""A cache in files that the processes of one host share, and that counts exactly."""

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

from engine.caches.counting import Count, counted, shown
from engine.secrets import state_folder

# One write in so many looks whether there are more; with 9,000 files that takes 5 ms, which
# every write paid, and under the lock of all counts.
CULL_CHANCE = 200
KEPT_SHARE = 2 / 3
_dice = random.SystemRandom()


class FileCache(FileBasedCache):
    """Django's cache in files, for the processes of one host.

    Django's lists the files before each write; here some writes do, outside the lock.
    What has ended goes first, and then what ends soonest.
    """

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        super().set(key, value, timeout, version)
        self._cull_at_times()

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """Like Django's, which looks first and writes then; here one of two callers wins."""
        with self._alone():
            if self.has_key(key, version):
                return False
            super().set(key, value, timeout, version)
        self._cull_at_times()
        return True

    def count(self, key: str, seconds: int) -> Count:
        with self._alone():
            kept = counted(self.get(key), seconds)
            super().set(key, kept, max(0.0, kept[0] - time.time()))
        self._cull_at_times()
        return shown(kept)

    def _cull(self) -> None:
        """Does nothing: Django calls it before each write."""

    def _cull_at_times(self) -> None:
        if not _dice.randrange(CULL_CHANCE):
            self.cull()

    def cull(self) -> None:
        """Make room where there are too many entries."""
        names = self._names()
        if len(names) <= cast(Any, self)._max_entries:
            return
        by_end = sorted((self._ends_at(name), name) for name in names)
        room = len(names) - int(cast(Any, self)._max_entries * KEPT_SHARE)
        now = time.time()
        for number, (ends_at, name) in enumerate(by_end):
            if ends_at < now or number < room:
                self._remove(name, ends_at)

    def _names(self) -> list[str]:
        with os.scandir(cast(Any, self)._dir) as entries:
            return [one.path for one in entries if one.name.endswith(self.cache_suffix)]

    def _ends_at(self, name: str) -> float:
        """When an entry ends; at once where it cannot be read, or has gone meanwhile."""
        try:
            with open(name, "rb") as file:
                # Django's file cache begins with it, in a folder that is ours alone.
                ends_at = pickle.load(file)  # noqa: S301
        except (FileNotFoundError, EOFError, pickle.UnpicklingError):
            return 0.0
        return float("inf") if ends_at is None else float(ends_at)

    def _remove(self, name: str, ends_at: float) -> None:
        """Unless it has been written again since it was looked at."""
        with self._alone(), suppress(FileNotFoundError):
            if self._ends_at(name) == ends_at:
                os.remove(name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of this cache's folder, against threads and processes alike."""
        folder = cast(Any, self)._dir
        os.makedirs(folder, state_folder.PRIVATE_FOLDER, exist_ok=True)
        name = os.path.join(folder, ".lock")
        with open(name, "ab", opener=state_folder.private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
