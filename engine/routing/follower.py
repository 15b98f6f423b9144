"""Keeps a snapshot true to the registry by its change log."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from engine.observability import metrics
from engine.registry import change_log
from engine.registry.change_log import Entry, Position
from engine.registry.models import ChangeKind
from engine.routing import rows
from engine.routing.snapshot import Routes

log = logging.getLogger(__name__)

# Changes that are read together and appear together: on PostgreSQL 1 ms of processor time
# for them, and 1.5 to 3 ms for the rows of each kind.
PAGE = 250
# Rows that are set without a pause, about 1 ms. Beside an import, the engine's loop was
# late by 1.6 ms in 1 of 100.
SLICE = 50
# So far behind, 2 s of following (27,000 changes a second, measured) come near the 5 s
# that loading 478,000 people took.
TOO_FAR = 50_000
# Seconds after a slice, and after each few rows of a whole load, in which the event loop
# has the interpreter for itself. To give the lock up and ask for it at once is not
# enough: most often the same thread gets it again.
PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Followed:
    """A snapshot, and the last change of the log that is in it."""

    routes: Routes
    position: Position


class Source(Protocol):
    """Where a follower's snapshots come from."""

    def load(self) -> Followed:
        """Loads everything, as it is committed now."""

    def follow(self, held: Followed) -> Followed | None:
        """Returns what is held with what was committed since.

        The same object where nothing was; None where all must be loaded.
        """


class ChangeLog:
    """Follows the registry in the database by its change log.

    `slice_size` is the most rows that are set without a pause.
    """

    def __init__(
        self,
        *,
        slice_size: int = SLICE,
        page: int = PAGE,
        too_far: int = TOO_FAR,
        pause: Callable[[], None] = lambda: time.sleep(PAUSE),
    ) -> None:
        self._slice, self._page, self._too_far = slice_size, page, too_far
        self._pause = pause

    def load(self) -> Followed:
        """Reads the whole registry, with a pause after each few rows."""
        # The position before the rows: what is committed in between is applied again,
        # which changes nothing.
        position = change_log.end()
        with _without_collection():
            return Followed(rows.read_all(self._pause), position)

    def follow(self, held: Followed) -> Followed | None:
        """Applies one page of the log; call it again until it returns `held` itself.

        Returns None if the log no longer reaches back to `held`, or if loading whole is
        faster.
        """
        entries = change_log.after(held.position, most=self._page)
        if entries is None or self._is_too_far(held, entries):
            return None
        if not entries:
            return held
        last = entries[-1]
        routes = self._applied(held.routes, entries)
        return Followed(routes, Position(last.sequence, last.mark))

    def _is_too_far(self, held: Followed, entries: Sequence[Entry]) -> bool:
        # Only a full page is worth a second query: most looks find a row or two.
        if len(entries) < self._page:
            return False
        return change_log.end().sequence - held.position.sequence > self._too_far

    def _applied(self, routes: Routes, entries: Iterable[Entry]) -> Routes:
        """Reads again what changed, each row once, and sets it in the snapshot.

        Always another object, also where no route has changed: mail sessions see by it
        that their sign-in must be checked again.
        """
        # Rows are read as they are now and not as the entry left them: one read for
        # each row is enough, and an entry that is applied twice changes nothing.
        touched: dict[ChangeKind, set[int]] = defaultdict(set)
        for entry in entries:
            touched[ChangeKind(entry.kind)].add(entry.row_id)
        touched.pop(ChangeKind.OTHER, None)
        routes = replace(routes)
        for kind, found in touched.items():
            read = iter(rows.read_some(kind, sorted(found)).items())
            while some := dict(islice(read, self._slice)):
                routes = rows.put(routes, kind, some)
                self._pause()
        return rows.with_settings(routes)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keeps the garbage collector from looking through what is being loaded.

    It found nothing, and took a quarter of the time that 478,000 people take.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Follower:
    """Holds the newest snapshot, for any number of threads.

    `max_age`: seconds during which the log is not looked at again. `source` stands for
    the database in tests.
    """

    def __init__(
        self,
        *,
        max_age: float,
        source: Source | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_age, self._clock = max_age, clock
        self._source = source or ChangeLog()
        self._lock = threading.Lock()
        self._followed: Followed | None = None
        self._checked_at = 0.0

    def fresh(self) -> Routes | None:
        """Returns the routes if they were checked less than `max_age` ago."""
        if self._clock() - self._checked_at >= self._max_age:
            return None
        return self.last_loaded

    def expire(self) -> None:
        """Makes the next `checked` look at the log, however fresh the routes are."""
        self._checked_at = 0.0

    def held(self) -> Routes:
        """Returns the routes as last read, however long ago. Raises RuntimeError."""
        if self._followed is None:
            raise RuntimeError("Routes are held only after the first refresh().")
        return self._followed.routes

    @property
    def position(self) -> Position:
        """The last change that is in the routes held."""
        return change_log.START if self._followed is None else self._followed.position

    @property
    def last_loaded(self) -> Routes | None:
        """The routes as last read; None before the first time."""
        return None if self._followed is None else self._followed.routes

    def checked(self, *, waits: bool = False) -> Routes:
        """Returns the routes, checked against the log if `max_age` has passed.

        With `waits`, by a look of its own, begun now. Without, while another thread does so, what is held still serves: loading half a million
        mailboxes takes seconds, and acceptance must not wait for it.
        """
        # Only the first load is waited for; and every look in tests, where `max_age` is
        # zero.
        may_wait = waits or self._followed is None or not self._max_age
        if not self._lock.acquire(blocking=may_wait):
            return self.held()
        try:
            return (None if waits else self.fresh()) or self._follow()
        finally:
            self._lock.release()

    def _follow(self) -> Routes:
        # Taken before the look: a change that commits while it lasts must not count as
        # seen.
        checked_at = self._clock()
        followed, before = self._followed, None
        while followed is not None and followed is not before:
            before, followed = followed, self._source.follow(followed)
            # Page by page, so that a change is not late because a thousand follow it.
            self._followed = followed or before
        if followed is None:
            followed = self._followed = self._source.load()
        self._checked_at = checked_at
        metrics.CHANGES.set(followed.position.sequence)
        return followed.routes
