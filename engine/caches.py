"""Caches that count: what is kept for a while, and how often something was asked for.

A count is one indivisible step, whatever threads, processes and hosts ask at once:
reading a number and writing it back let 12 threads through 662 times where 600 were
allowed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pickle
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from engine import state

log = logging.getLogger(__name__)

# Seconds for one answer of Redis, and for which it is then left alone.
PATIENCE = 1.0
AWAY_SECONDS = 5.0
# More than this are culled, limits among them; Django's own default is 300.
MAX_ENTRIES = 10_000
# One write in so many looks whether there are more; with 9,000 files that takes 5 ms, which
# every write paid, and under the lock of all counts.
CULL_CHANCE = 200
KEPT_SHARE = 2 / 3
_dice = random.SystemRandom()


class Count(NamedTuple):
    """How often it was counted, this time included, and when that begins again."""

    number: int
    seconds_left: float


class Counting(Protocol):
    """What a cache of ours can do besides Django's."""

    def count(self, key: str, seconds: int) -> Count: ...


def count(key: str, *, seconds: int) -> Count:
    """Count one more under the key, within so many seconds of the first."""
    return cast(Counting, cache).count(key, seconds)


def redis_settings(url: str) -> dict[str, Any]:
    """What CACHES says of a Redis or Valkey at the URL."""
    return {
        "BACKEND": "engine.caches.SharedCache",
        "LOCATION": url,
        "OPTIONS": {
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
            # Once more, for a connection that a restart of Redis has ended.
            "retry": Retry(NoBackoff(), 1),
        },
    }


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
            counted = _counted(self.get(key), seconds)
            super().set(key, counted, max(0.0, counted[0] - time.time()))
        self._cull_at_times()
        return _shown(counted)

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
        os.makedirs(folder, state.PRIVATE_FOLDER, exist_ok=True)
        name = os.path.join(folder, ".lock")
        with open(name, "ab", opener=state.private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _Memory(LocMemCache):
    """This process's own memory, for as long as Redis is away."""

    _counting = threading.Lock()

    def count(self, key: str, seconds: int) -> Count:
        with self._counting:
            counted = _counted(self.get(key), seconds)
            self.set(key, counted, max(0.0, counted[0] - time.time()))
        return _shown(counted)


class SharedCache(RedisCache):
    """Redis or Valkey, or this process's own memory while it is away.

    Limits are then kept by each process for itself, and nothing else is lost: sessions
    and locks are in the database.
    """

    _away_until = 0.0

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = _Memory(
            "while-redis-is-away", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}}
        )

    def count(self, key: str, seconds: int) -> Count:
        return cast(Count, self._ask("count", key, seconds))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        self._ask("set", key, value, timeout, version)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        return bool(self._ask("add", key, value, timeout, version))

    def touch(
        self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        return bool(self._ask("touch", key, timeout, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return cast(int, self._ask("incr", key, delta, version))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._ask("delete", key, version))

    def has_key(self, key: Any, version: Any = None) -> bool:
        return bool(self._ask("has_key", key, version))

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        return cast(dict[Any, Any], self._ask("get_many", keys, version))

    def set_many(
        self,
        data: Mapping[Any, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
    ) -> list[Any]:
        return list(self._ask("set_many", data, timeout, version) or ())

    def delete_many(self, keys: Any, version: Any = None) -> None:
        self._ask("delete_many", keys, version)

    def clear(self) -> None:
        self._ask("clear")
        self._memory.clear()

    def _ask(self, what: str, *args: Any) -> Any:
        # Of the class: each thread has an instance of its own, and none waits again.
        if time.monotonic() >= SharedCache._away_until:
            try:
                return self._ask_redis(what, *args)
            except RedisError as error:
                # It does not answer, or takes nothing: it is full, or read-only.
                SharedCache._away_until = time.monotonic() + AWAY_SECONDS
                log.error("Redis cannot be used; limits are local: %s", error)
        return getattr(self._memory, what)(*args)

    def _ask_redis(self, what: str, *args: Any) -> Any:
        if what == "count":
            return self._count(*args)
        return getattr(super(), what)(*args)

    def _count(self, key: str, seconds: int) -> Count:
        """By Redis's own clock, which hosts share."""
        name = self.make_and_validate_key(key)
        client = cast(Any, self)._cache.get_client(name, write=True)
        try:
            return _count_with(client, name, seconds)
        except ResponseError:
            # One value that is no number, perhaps from an earlier version, does not make
            # Redis away. Where it refuses to write at all, it refuses this as well.
            client.transaction(partial(_drop_unless_number, name), name)
        return _count_with(client, name, seconds)


def _count_with(client: Any, name: str, seconds: int) -> Count:
    with client.pipeline(transaction=True) as steps:
        steps.set(name, 0, ex=seconds, nx=True)
        steps.incr(name)
        steps.pttl(name)
        _, number, milliseconds = steps.execute()
    return Count(int(number), max(0, milliseconds) / 1000)


def _drop_unless_number(name: str, steps: Any) -> None:
    """In a transaction that watches the name: another may have begun to count."""
    kept = steps.get(name) if steps.type(name) == b"string" else b""
    steps.multi()
    if not re.fullmatch(rb"\d+", kept or b""):
        steps.delete(name)


def _counted(kept: Any, seconds: int) -> tuple[float, int]:
    """What to keep after one more: the end, which counting does not move, and the number.

    Anything else that an earlier version kept is replaced.
    """
    if isinstance(kept, tuple) and len(kept) == 2:
        return kept[0], kept[1] + 1
    return time.time() + seconds, 1


def _shown(counted: tuple[float, int]) -> Count:
    until, number = counted
    return Count(number, max(0.0, until - time.time()))
