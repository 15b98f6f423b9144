"""Caches that count: what is kept for a while, and how often something was asked for.

A count is one indivisible step, whatever threads, processes and hosts ask at once:
reading a number and writing it back let 12 threads through 662 times where 600 were
allowed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, cast

from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from engine import state

log = logging.getLogger(__name__)

# Seconds for one answer of Redis, and for which it is then left alone.
PATIENCE = 1.0
AWAY_SECONDS = 5.0
# More than this are culled, limits among them; Django's own default is 300.
MAX_ENTRIES = 10_000


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
    """Django's cache in files, for the processes of one host."""

    def add(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Like Django's, which looks first and writes then; here one of two callers wins."""
        with self._alone():
            return bool(super().add(key, value, timeout, version))

    def count(self, key: str, seconds: int) -> Count:
        with self._alone():
            return _count_in(self, key, seconds)

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
            return _count_in(self, key, seconds)


class SharedCache(RedisCache):
    """Redis or Valkey, or this process's own memory while it is away.

    Limits are then kept by each process for itself, and nothing else is lost: sessions
    and locks are in the database.
    """

    _away_until = 0.0

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = _Memory("while-redis-is-away", {})

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
                SharedCache._away_until = time.monotonic() + AWAY_SECONDS
                log.error("Redis does not answer; limits are local: %s", error)
        return getattr(self._memory, what)(*args)

    def _ask_redis(self, what: str, *args: Any) -> Any:
        if what == "count":
            return self._count(*args)
        return getattr(super(), what)(*args)

    def _count(self, key: str, seconds: int) -> Count:
        """By Redis's own clock, which hosts share."""
        name = self.make_and_validate_key(key)
        client = cast(Any, self)._cache.get_client(name, write=True)
        with client.pipeline(transaction=True) as steps:
            steps.set(name, 0, ex=seconds, nx=True)
            steps.incr(name)
            steps.pttl(name)
            _, number, milliseconds = steps.execute()
        return Count(int(number), max(0, milliseconds) / 1000)


def _count_in(kept: BaseCache, key: str, seconds: int) -> Count:
    """The end is kept beside the number, for counting must not move it."""
    now = time.time()
    until, number = kept.get(key) or (now + seconds, 0)
    left = max(0.0, until - now)
    kept.set(key, (until, number + 1), left)
    return Count(number + 1, left)
