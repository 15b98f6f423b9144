"""What every address means, held in memory: no RCPT asks the database."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection as database

from engine.registry import stamp
from engine.registry.facts import (
    ConnectionFacts,
    ListFacts,
    Network,
    Route,
    RouteKind,
)
from engine.registry.loading import load
from engine.registry.snapshot import OrganisationFacts, Routes

__all__ = [
    "ConnectionFacts",
    "ListFacts",
    "Network",
    "OrganisationFacts",
    "Route",
    "RouteKind",
    "Routes",
    "current",
    "held",
    "refresh",
]

# Seconds during which the stamp is not looked at again. A suspension acts within them.
MAX_AGE = 0.0 if settings.POSTERN.env == "test" else 2.0


class _Holder:
    """The routes of this process, loaded anew when the registry's stamp has moved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: Routes | None = None
        self._version = ""
        self._checked_at = 0.0

    def fresh(self) -> Routes | None:
        """The routes, where they were checked a moment ago."""
        if time.monotonic() - self._checked_at >= MAX_AGE:
            return None
        return self._routes

    def held(self) -> Routes:
        """The routes as last loaded, however long ago."""
        if self._routes is None:
            raise RuntimeError("Routes are held only after the first refresh().")
        return self._routes

    def checked(self) -> Routes:
        """The routes, checked against the database where it is time to."""
        with self._lock:
            return self.fresh() or self._reloaded()

    def _reloaded(self) -> Routes:
        checked_at = time.monotonic()
        # Read before the rows: what changes in between is seen at the next check.
        version = stamp.current()
        if self._routes is None or version != self._version:
            self._routes, self._version = load(), version
        self._checked_at = checked_at
        return self._routes


_holder = _Holder()
# One thread of its own: sessions that wait for a load never starve other work.
_loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="routes")


def current() -> Routes:
    """The routes as they were at most two seconds ago. Reads the database."""
    return _holder.fresh() or _holder.checked()


def held() -> Routes:
    """The routes as last loaded, without a look at the database.

    For the event loop, beside a task that calls `refresh` every second. Raises
    RuntimeError before the first one.
    """
    return _holder.held()


async def refresh() -> Routes:
    """What `current` returns, for the event loop, which it does not stall."""
    fresh = _holder.fresh()
    if fresh is not None:
        return fresh
    return await asyncio.get_running_loop().run_in_executor(_loader, _checked_apart)


def _checked_apart() -> Routes:
    try:
        return _holder.checked()
    finally:
        # Seconds pass until the next look: no connection is kept for it.
        database.close()
