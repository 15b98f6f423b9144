"""Converts a check that raises PolicyError into a predicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from engine.registry.errors import PolicyError

P = ParamSpec("P")


def as_predicate(check: Callable[P, None]) -> Callable[P, bool]:
    """Returns a predicate that is True unless `check` raises PolicyError."""

    def can(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            check(*args, **kwargs)
        except PolicyError:
            return False
        return True

    return can
