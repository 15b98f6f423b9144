"""A count of something that waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.registry.permissions import Permission


@dataclass(frozen=True, slots=True)
class Tile:
    """A count of something, for those who may see the list behind it."""

    label: str
    permission: Permission
    count: Callable[[], int]
    url_name: str
    query: str = ""
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A tile with its number. `is_alarming` when it should be nought and is not."""

    label: str
    number: int
    href: str
    is_alarming: bool
