"""Keeps runners from taking over each other's work because the database was away.

During an outage nobody can renew a lease or record what a next hop accepted. So a lease
that ran out meanwhile does not show that its holder died: once the database is back,
holders get time to renew their leases and record outcomes before others take over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from engine.database import clock

# Longer than holders need to notice that the database is back: they ask every second
# (runner.POLL_SECONDS), and a connection that hangs takes some more.
TRUCE_SECONDS = 30.0


class Outage:
    """One runner's knowledge of the last time that the database did not answer."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_at = _now()
        self._cutoff = self._answered_at
        self._truce_until = 0.0
        self.is_on = False

    def begin(self) -> None:
        """Notes that the database did not answer."""
        # Within a truce the cutoff stays: a second outage shortly after the first must
        # not free the leases that ended during the first.
        if not self.is_on and self.lease_cutoff() is None:
            self._cutoff = self._answered_at
        self.is_on = True

    def end(self) -> None:
        """Notes that the database answered."""
        if self.is_on:
            self._truce_until = self._clock() + TRUCE_SECONDS
        self.is_on, self._answered_at = False, _now()

    def lease_cutoff(self) -> datetime | None:
        """Returns the time before which a lease must have ended to be taken over.

        None outside an outage and its truce, when now is the cutoff.
        """
        if self.is_on or self._clock() < self._truce_until:
            return self._cutoff
        return None


def _now() -> datetime:
    return datetime.fromtimestamp(clock.estimated_timestamp(), UTC)
