"""Redis or Valkey as the cache that hosts share, and this process's memory while it is away."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from engine.caches.counting import MAX_ENTRIES, Count, counted, shown

log = logging.getLogger(__name__)

# Seconds for one answer of Redis, and for which it is then left alone.
PATIENCE = 1.0
AWAY_SECONDS = 5.0


def redis_settings(url: str) -> dict[str, Any]:
    """What CACHES says of a Redis or Valkey at the URL."""
    return {
        "BACKEND": "engine.caches.redis_cache.SharedCache",
        "LOCATION": url,
        "OPTIONS": {
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
            # Once more, for a connection that a restart of Redis has ended.
            "retry": Retry(NoBackoff(), 1),
        },
    }


class _Memory(LocMemCache):
    """This process's own memory, for as long as Redis is away."""

    _counting = threading.Lock()

    def count(self, key: str, seconds: int) -> Count:
        with self._counting:
            kept = counted(self.get(key), seconds)
            self.set(key, kept, max(0.0, kept[0] - time.time()))
        return shown(kept)


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
