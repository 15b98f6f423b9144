"""Chooses among several clamd servers; one that failed is left out for a while.

Each process remembers for itself who failed: a network may be cut for one host only.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

LEFT_OUT = 30.0  # seconds; clamd takes about as long to load its signatures

_turn = itertools.count()
_failed: dict[str, float] = {}


def in_turn(targets: Sequence[str]) -> list[str]:
    """All of them in the order in which to try: each scan begins with another one.

    Those left out come last, for the case that no other answers.
    """
    start = next(_turn) % len(targets)
    turned = [*targets[start:], *targets[:start]]
    return sorted(turned, key=is_left_out)


def is_left_out(target: str) -> bool:
    failed_at = _failed.get(target)
    return failed_at is not None and time.monotonic() - failed_at < LEFT_OUT


def is_suspect(target: str) -> bool:
    """Whether it failed and has not answered since."""
    return target in _failed


def leave_out(target: str) -> None:
    _failed[target] = time.monotonic()


def take_back(target: str) -> None:
    _failed.pop(target, None)
