"""Distributes scans over several clamd servers, and avoids one that failed for a while.

Each process remembers failures for itself, because a network may be down for one host
only.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

LEFT_OUT = 30.0  # seconds; clamd takes about as long to load its signatures

_turn = itertools.count()
_failed: dict[str, float] = {}


def in_turn(targets: Sequence[str]) -> list[str]:
    """Returns all targets in the order to try them; each scan starts with another one.

    Avoided ones come last, in case no other answers.
    """
    start = next(_turn) % len(targets)
    turned = [*targets[start:], *targets[:start]]
    # The sort is stable: those that work keep the order of this scan.
    return sorted(turned, key=is_left_out)


def is_left_out(target: str) -> bool:
    """Returns whether it failed within the last LEFT_OUT seconds."""
    failed_at = _failed.get(target)
    return failed_at is not None and time.monotonic() - failed_at < LEFT_OUT


def is_suspect(target: str) -> bool:
    """Returns whether it failed and has not answered since."""
    return target in _failed


def leave_out(target: str) -> None:
    """Records a failure."""
    _failed[target] = time.monotonic()


def take_back(target: str) -> None:
    """Records that it answered."""
    _failed.pop(target, None)
