"""Counts exactly how often something was asked for, in the cache that processes share.

A count is one atomic step, whatever number of threads, processes and hosts count at the
same time: reading a number and writing it back let 12 threads through 662 times where 600
were allowed.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol, cast

from django.core.cache import cache

# Beyond this entries are evicted, and rate limits with them; Django's default is only 300.
MAX_ENTRIES = 10_000


class Count(NamedTuple):
    """How often something was counted, this time included, and when counting restarts."""

    number: int
    seconds_left: float


class CountingCache(Protocol):
    """What our cache backends offer in addition to Django's interface."""

    def count(self, key: str, seconds: int) -> Count:
        """Counts one more under the key, in one atomic step."""
        ...


def count(key: str, *, seconds: int) -> Count:
    """Counts one more under the key; the count restarts `seconds` after its first."""
    return cast(CountingCache, cache).count(key, seconds)


def incremented(stored: Any, seconds: int) -> tuple[float, int]:
    """Returns what to store after one more: when the count ends, and its number.

    Counting does not move the end. A value that is not a count, which an earlier version
    may have stored under the key, is replaced.
    """
    if isinstance(stored, tuple) and len(stored) == 2:
        return stored[0], stored[1] + 1
    return time.time() + seconds, 1


def as_count(stored: tuple[float, int]) -> Count:
    """Converts a stored count, whose end is in seconds since 1970."""
    until, number = stored
    return Count(number, max(0.0, until - time.time()))
