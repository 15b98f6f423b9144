"""Reads the next messages of a maildrop before the client asks for them.

Most mail programs retrieve one message after the other. Each alone costs a query and three
switches to another thread and back, which took longer than sending it.
"""

from __future__ import annotations

import asyncio

from engine.database.threads import DatabaseThreads
from engine.pop3 import maildrop
from engine.pop3.maildrop import Item, Maildrop

# Octets of a message that is read ahead, and of all that one session keeps.
MESSAGE_LIMIT = 64 * 1024
LIMIT = 256 * 1024
AT_ONCE = 32
# Seconds. A message that was erased meanwhile is served for so long at most.
FRESH_SECONDS = 1.0


class ReadAhead:
    """The small messages that a client is likely to retrieve next."""

    def __init__(self, opened: Maildrop, threads: DatabaseThreads) -> None:
        self._maildrop = opened
        self._threads = threads
        self._kept: dict[int, bytes] = {}
        self._kept_at = 0.0
        self._previous = 0

    async def get(self, number: int) -> bytes | None:
        """Returns a message as served to clients, once.

        None for one that is large or gone, and for the first of a sequence: there is no
        sign yet that the client wants the next.
        """
        now = asyncio.get_running_loop().time()
        if now - self._kept_at > FRESH_SECONDS:
            self._kept.clear()
        is_next, self._previous = number == self._previous + 1, number
        message_id = self._maildrop.item(number).message_id
        if message_id not in self._kept and is_next and number > 1:
            items = self._following(number)
            if items:
                self._kept_at = now
                self._kept = await self._threads.run(
                    maildrop.read_small, self._maildrop, items
                )
        return self._kept.pop(message_id, None)

    def _following(self, number: int) -> list[Item]:
        """Returns this message and those behind it, up to the limits."""
        items: list[Item] = []
        left = LIMIT
        last = min(number + AT_ONCE - 1, len(self._maildrop))
        for item in map(self._maildrop.item, range(number, last + 1)):
            left -= item.size
            if item.size > MESSAGE_LIMIT or left < 0:
                break
            items.append(item)
        return items
