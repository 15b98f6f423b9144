"""The snapshot of this process: no RCPT asks the database.

The engine refreshes it every second. Processes of the site and of jobs have a thread
that does so, from `follow_in_background` on; a command of manage.py reads it when it is
first asked for.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from django.conf import settings
from django.db import connection as database

from engine.registry.change_log import committed
from engine.routing.facts import (
    ConnectionFacts,
    ListFacts,
    OrganisationFacts,
    Route,
    RouteKind,
)
from engine.routing.follower import Follower
from engine.routing.snapshot import Routes

__all__ = [
    "ConnectionFacts",
    "ListFacts",
    "OrganisationFacts",
    "Route",
    "RouteKind",
    "Routes",
    "current",
    "follow_in_background",
    "held",
    "is_known_source",
    "last_loaded",
    "newest",
    "refresh",
    "tries",
]

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks of the engine, or of the background thread
# Between two looks of the background thread while this process itself commits changes:
# an import commits hundreds a second.
SOONEST = 0.2
# Below EVERY, so that no look finds the last one fresh enough: at two seconds every
# second look, or two in three, read nothing, and a new mailbox was unknown for three.
FRESH_FOR = 0.9
# Tests wait for nothing.
MAX_AGE = 0.0 if settings.POSTERN.env == "test" else FRESH_FOR

_follower = Follower(max_age=MAX_AGE)
# One thread of its own: sessions that wait for a load never starve other work.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="routes")
_is_followed = threading.Event()
_is_refreshed = threading.Event()
_starting = threading.Lock()
_background: list[threading.Thread] = []


def current() -> Routes:
    """Returns the routes as they were at most two seconds ago.

    Reads nothing where a thread or the engine's loop follows the registry, except before
    the first load, which this waits for. A commit that read the log itself, because the
    loop's look was a tenth of a second away, held up its messages for 30 ms.
    """
    if _is_followed.is_set():
        _start()
        return _follower.last_loaded or _follower.checked()
    if _is_refreshed.is_set():
        return _follower.held()
    return _follower.fresh() or _follower.checked()


def newest() -> Routes:
    """Returns the routes with all that is committed by now: asks the database.

    For a refusal that may be due to a change of a moment ago, such as the address of
    somebody who was added in the request before. The same object as `current` gave where
    nothing was changed. Not for the event loop.
    """
    return _follower.checked(waits=True)


def tries() -> Iterator[Routes]:
    """Yields `current()`, then `newest()` if something was changed since.

    Take the second only where the first refuses: somebody who was added a moment ago can
    be written to at once.
    """
    known = current()
    yield known
    if (changed := newest()) is not known:
        yield changed


def held() -> Routes:
    """Returns the routes as last read, without a look at the database.

    For the event loop, beside a task that calls `refresh` every second. Raises
    RuntimeError before the first one.
    """
    return _follower.held()


def held_or_current() -> Routes:
    """Returns the routes in memory where there are any, without a query.

    For the commit that other sessions wait for.
    """
    try:
        return held()
    except RuntimeError:
        return current()


def is_known_source(address: str) -> bool:
    """Whether the IP address is a member's own server's, or a cloud provider's."""
    try:
        return held().is_known_source(ip_address(address.partition("%")[0]))
    except ValueError:
        return False


def last_loaded() -> Routes | None:
    """Returns what `held` does; None before the first `refresh`.

    For sessions, which ask only whether the object is another one than a moment ago.
    """
    return _follower.last_loaded


async def refresh() -> Routes:
    """Returns what `current` does, without stalling the event loop.

    For the engine, which calls it every second; from then on `current` reads nothing.
    """
    fresh = _follower.fresh()
    if fresh is None:
        loop = asyncio.get_running_loop()
        fresh = await loop.run_in_executor(_thread, _checked_apart)
    if MAX_AGE:
        _is_refreshed.set()
    return fresh


def _checked_apart() -> Routes:
    try:
        return _follower.checked()
    finally:
        # Seconds pass until the next look: no connection is kept for it.
        database.close()


def follow_in_background(*, at_once: bool) -> None:
    """Starts to follow the registry in a thread, for as long as the process lives.

    For processes without the engine's loop; called after they were forked, if they are.
    The thread starts at once, or when the routes are first asked for: a process that
    never asks then holds no copy of the registry.
    """
    if MAX_AGE:
        _is_followed.set()
        if at_once:
            _start()


def _start() -> None:
    with _starting:
        if not _background:
            thread = threading.Thread(
                target=_keep_following, name="routes", daemon=True
            )
            _background.append(thread)
            thread.start()


def _keep_following() -> None:
    is_frozen = False
    while _is_followed.is_set():
        # Before the look: a commit while it lasts is looked at again.
        committed.clear()
        try:
            _checked_apart()
            if not is_frozen:
                # The garbage collector looked through half a million people for 0.2 s,
                # again and again, and every thread of the process waited.
                gc.freeze()
                is_frozen = True
        except Exception:
            log.exception("the registry could not be followed")
        time.sleep(SOONEST)
        if committed.wait(EVERY - SOONEST):
            _follower.expire()
