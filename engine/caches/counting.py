"""Counts how often something was asked for, exactly, in the cache that processes share.

A count is one indivisible step, whatever threads, processes and hosts ask at once:
reading a number and writing it back let 12 threads through 662 times where 600 were
allowed.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol, cast

from django.core.cache import cache

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


def counted(kept: Any, seconds: int) -> tuple[float, int]:
    """What to keep after one more: the end, which counting does not move, and the number.

    Anything else that an earlier version kept is replaced.
    """
    if isinstance(kept, tuple) and len(kept) == 2:
        return kept[0], kept[1] + 1
    return time.time() + seconds, 1


def shown(kept: tuple[float, int]) -> Count:
    until, number = kept
    return Count(number, max(0.0, until - time.time()))
