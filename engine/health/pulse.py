"""How late an event loop is: what each of its connections waits for besides its own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

EVERY = 0.5  # seconds
KEPT = 60.0


class Pulse:
    """Ticks on the loop; other threads ask how late that was."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(EVERY)

    def tick(self) -> None:
        """Note by how much this tick comes late."""
        now = self._clock()
        if self._last is not None:
            self._late.append((now, max(0.0, now - self._last - EVERY)))
        self._last = now
        while self._late and self._late[0][0] < now - KEPT:
            self._late.popleft()

    def lag(self) -> float:
        """The longest in the last minute, in seconds, a tick that is overdue included."""
        if self._last is None:
            return 0.0
        overdue = max(0.0, self._clock() - self._last - EVERY)
        return max([overdue, *(late for _, late in list(self._late))])
