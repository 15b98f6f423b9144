"""What every address means, held in memory: no RCPT asks the database."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from django.conf import settings
from django.db import connection as database

from engine.registry import change_log
from engine.routing.facts import ConnectionFacts, ListFacts, Route, RouteKind
from engine.routing.rows import load
from engine.routing.snapshot import OrganisationFacts, Routes

__all__ = [
    "ConnectionFacts",
    "Holder",
    "ListFacts",
    "OrganisationFacts",
    "Route",
    "RouteKind",
    "Routes",
    "current",
    "held",
    "is_known_source",
    "last_loaded",
    "refresh",
]

# A suspension acts within so many seconds. Tests wait for nothing.
MAX_AGE = 0.0 if settings.POSTERN.env == "test" else 2.0


class Holder:
    """Routes, loaded again when the registry's stamp has moved.

    `max_age`: seconds during which the stamp is not looked at again.
    """

    def __init__(
        self,
        *,
        max_age: float,
        load: Callable[[], Routes] = load,
        version: Callable[[], str] = change_log.current,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_age = max_age
        self._load, self._version, self._clock = load, version, clock
        self._lock = threading.Lock()
        self._routes: Routes | None = None
        self._loaded_version = ""
        self._checked_at = 0.0

    def fresh(self) -> Routes | None:
        """The routes, where they were checked a moment ago."""
        if self._clock() - self._checked_at >= self._max_age:
            return None
        return self._routes

    def held(self) -> Routes:
        """The routes as last loaded, however long ago."""
        if self._routes is None:
            raise RuntimeError("Routes are held only after the first refresh().")
        return self._routes

    @property
    def last_loaded(self) -> Routes | None:
        """The routes as last loaded; None before the first time."""
        return self._routes

    def checked(self) -> Routes:
        """The routes, checked against the database where it is time to.

        While another thread loads, what is held still serves: loading half a million
        mailboxes takes seconds, and acceptance must not wait for it.
        """
        may_wait = self._routes is None or not self._max_age
        if not self._lock.acquire(blocking=may_wait):
            return self.held()
        try:
            return self.fresh() or self._reloaded()
        finally:
            self._lock.release()

    def _reloaded(self) -> Routes:
        checked_at = self._clock()
        # Read before the rows: what changes in between is seen at the next check.
        version = self._version()
        if self._routes is None or version != self._loaded_version:
            self._routes, self._loaded_version = self._load(), version
        self._checked_at = checked_at
        return self._routes


_holder = Holder(max_age=MAX_AGE)
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


def is_known_source(address: str) -> bool:
    """Whether the IP address is a member's own server's, or a cloud provider's."""
    try:
        return held().is_known_source(ip_address(address.partition("%")[0]))
    except ValueError:
        return False


def last_loaded() -> Routes | None:
    """The same; None before the first `refresh`.

    For sessions that ask of them only whether they are other than a moment ago.
    """
    return _holder.last_loaded


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
