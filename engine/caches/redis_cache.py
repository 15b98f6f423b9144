"""A cache in Redis or Valkey, which hosts share, with local memory as its fallback."""

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

from engine.caches.counting import MAX_ENTRIES, Count, as_count, incremented

log = logging.getLogger(__name__)

# How long Redis is not asked after it failed. Otherwise each request would wait for the
# timeout while Redis is down.
PAUSE_SECONDS = 5.0


class _LocalCache(LocMemCache):
    """This process's memory, used while Redis is unavailable."""

    _counting = threading.Lock()

    def count(self, key: str, seconds: int) -> Count:
        """Counts one more under the key, for this process only."""
        with self._counting:
            stored = incremented(self.get(key), seconds)
            self.set(key, stored, max(0.0, stored[0] - time.time()))
        return as_count(stored)


class SharedCache(RedisCache):
    """Redis or Valkey; this process's memory while it is unavailable.

    Each process then enforces rate limits for itself. Nothing else is lost, because
    sessions and locks are in the database. The methods are those of Django's interface.
    """

    _unavailable_until = 0.0

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        # One retry, because a restart of Redis ends pooled connections.
        options = {"retry": Retry(NoBackoff(), 1)} | params.get("OPTIONS", {})
        super().__init__(server, params | {"OPTIONS": options})
        self._local = _LocalCache(
            "while-redis-is-unavailable", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}}
        )

    def count(self, key: str, seconds: int) -> Count:
        """Counts one more under the key, for `seconds` after its first."""
        return cast(Count, self._call("count", key, seconds))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Returns the value, or the default where there is none."""
        return self._call("get", key, default, version)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        """Stores the value for `timeout` seconds; None never expires."""
        self._call("set", key, value, timeout, version)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """Stores the value unless the key exists, and returns whether it did."""
        return bool(self._call("add", key, value, timeout, version))

    def touch(
        self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """Sets a new timeout in seconds, and returns whether the key exists."""
        return bool(self._call("touch", key, timeout, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Adds to a number and returns it. Raises ValueError where there is none."""
        return cast(int, self._call("incr", key, delta, version))

    def delete(self, key: Any, version: Any = None) -> bool:
        """Deletes the key, and returns whether it existed."""
        return bool(self._call("delete", key, version))

    def has_key(self, key: Any, version: Any = None) -> bool:
        """Returns whether the key exists and has not expired."""
        return bool(self._call("has_key", key, version))

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        """Returns the values of the keys that exist."""
        return cast(dict[Any, Any], self._call("get_many", keys, version))

    def set_many(
        self,
        data: Mapping[Any, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
    ) -> list[Any]:
        """Stores the values, and returns the keys that could not be stored."""
        return list(self._call("set_many", data, timeout, version) or ())

    def delete_many(self, keys: Any, version: Any = None) -> None:
        """Deletes the keys that exist."""
        self._call("delete_many", keys, version)

    def clear(self) -> None:
        """Deletes everything, in Redis and in local memory."""
        self._call("clear")
        self._local.clear()

    def _call(self, method: str, *args: Any) -> Any:
        # Each thread has its own instance, so that the state is kept in the class: one
        # thread that waited for the timeout spares the others.
        if time.monotonic() >= SharedCache._unavailable_until:
            try:
                return self._call_redis(method, *args)
            except RedisError as error:
                # Not only a lost connection: a full or read-only Redis refuses writes.
                SharedCache._unavailable_until = time.monotonic() + PAUSE_SECONDS
                log.error(
                    "Redis is unavailable; rate limits apply per process: %s", error
                )
        return getattr(self._local, method)(*args)

    def _call_redis(self, method: str, *args: Any) -> Any:
        if method == "count":
            return self._count(*args)
        return getattr(super(), method)(*args)

    def _count(self, key: str, seconds: int) -> Count:
        """Counts by the clock of Redis, which all hosts share."""
        name = self.make_and_validate_key(key)
        client = cast(Any, self)._cache.get_client(name, write=True)
        try:
            return _count_with(client, name, seconds)
        except ResponseError:
            # A value that is not a number, perhaps from an earlier version, does not mean
            # that Redis is unavailable. If Redis refuses all writes, this fails as well.
            client.transaction(partial(_delete_unless_number, name), name)
        return _count_with(client, name, seconds)


def _count_with(client: Any, name: str, seconds: int) -> Count:
    with client.pipeline(transaction=True) as steps:
        steps.set(name, 0, ex=seconds, nx=True)
        steps.incr(name)
        steps.pttl(name)
        _, number, milliseconds = steps.execute()
    return Count(int(number), max(0, milliseconds) / 1000)


def _delete_unless_number(name: str, steps: Any) -> None:
    """Runs in a transaction that watches the name, as another process may count too."""
    stored = steps.get(name) if steps.type(name) == b"string" else b""
    steps.multi()
    if not re.fullmatch(rb"\d+", stored or b""):
        steps.delete(name)
