"""Keeps runners from taking each other's work over because the database was away.

While it is away nobody can renew a lease, or write down what has been handed on. So a
lease that ran out meanwhile does not show that its holder died: when the database is
back, holders get some time to renew and to settle before others take over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from engine import clock

# Longer than holders need to find out: they ask each second (runner.POLL_SECONDS), and a
# connection that hangs takes some more.
TRUCE_SECONDS = 30.0


class Outage:
    """What one runner knows of the last time that the database did not answer."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_at = _now()
        self._truce_from = self._answered_at
        self._truce_until = 0.0
        self.is_on = False

    def begin(self) -> None:
        """The database did not answer."""
        if not self.is_on and self.lapsed() is None:
            self._truce_from = self._answered_at
        self.is_on = True

    def answered(self) -> None:
        """The database answered."""
        if self.is_on:
            self._truce_until = self._clock() + TRUCE_SECONDS
        self.is_on, self._answered_at = False, _now()

    def lapsed(self) -> datetime | None:
        """By when a lease must have ended, for another to take over; None for now."""
        if self.is_on or self._clock() < self._truce_until:
            return self._truce_from
        return None


def _now() -> datetime:
    return datetime.fromtimestamp(clock.held(), UTC)
