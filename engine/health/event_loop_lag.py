"""Measures the lag of an event loop: how long every one of its connections is kept waiting."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

TICK_SECONDS = 0.5
WINDOW = 60.0  # seconds


class LoopLag:
    """Ticks on the event loop; other threads read by how much the ticks were late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Ticks until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    def tick(self) -> None:
        """Records by how much this tick is late."""
        now = self._clock()
        if self._last is not None:
            self._late.append((now, max(0.0, now - self._last - TICK_SECONDS)))
        self._last = now
        while self._late and self._late[0][0] < now - WINDOW:
            self._late.popleft()

    def seconds(self) -> float:
        """Returns the longest lag of the last minute, in seconds.

        A tick that is overdue counts, so that a loop that hangs now is seen.
        """
        if self._last is None:
            return 0.0
        overdue = max(0.0, self._clock() - self._last - TICK_SECONDS)
        return max([overdue, *(late for _, late in list(self._late))])
