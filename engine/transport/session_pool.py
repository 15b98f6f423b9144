"""Pools SMTP sessions by next hop, and remembers which next hops are down."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.transport.connection_errors import ConversationError
from engine.transport.next_hop import Hop
from engine.transport.smtp_client import Session

SESSIONS_PER_HOP = 5
MESSAGES_PER_SESSION = 100
IDLE_SECONDS = 5.0
# A hop that failed to connect is not dialled again for this long: less than the first
# retry delay, jitter included, so that no retry is answered from memory.
DOWN_SECONDS = 45.0


class Pool:
    """The sessions of one event loop, which needs no locks for them."""

    def __init__(self, *, down_seconds: float = DOWN_SECONDS) -> None:
        self.down_seconds = down_seconds
        self._places: defaultdict[Hop, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(SESSIONS_PER_HOP)
        )
        self._idle: dict[Session, asyncio.TimerHandle] = {}
        self._down: dict[Hop, tuple[float, ConversationError]] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def session(self, hop: Hop) -> AsyncIterator[Session]:
        """Lends a session that answers; it is reused unless the block raises.

        Raises ConversationError, immediately while the hop is known to be down.
        """
        async with self._places[hop]:
            session = await self._reused(hop) or await self._opened(hop)
            try:
                yield session
            except BaseException:
                session.abandon()
                raise
            self._keep(session)

    async def close(self) -> None:
        """Closes every idle session, and waits until they have said QUIT."""
        for session in list(self._idle):
            self._retire(session)
        await asyncio.gather(*self._farewells)

    async def _reused(self, hop: Hop) -> Session | None:
        for session in [idle for idle in self._idle if idle.hop == hop]:
            if session not in self._idle:
                continue
            self._idle.pop(session).cancel()
            try:
                await session.reset()
            except ConversationError:
                session.abandon()
            else:
                return session
        return None

    async def _opened(self, hop: Hop) -> Session:
        now = asyncio.get_running_loop().time
        if hop in self._down:
            until, error = self._down[hop]
            if now() < until:
                raise ConversationError(error.reply, error.cause)
        try:
            session = await Session.open(hop)
        except ConversationError as error:
            self._down[hop] = (now() + self.down_seconds, error)
            raise
        self._down.pop(hop, None)
        return session

    def _keep(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        self._idle[session] = loop.call_later(IDLE_SECONDS, self._retire, session)
        if session.sent >= MESSAGES_PER_SESSION:
            self._retire(session)

    def _retire(self, session: Session) -> None:
        self._idle.pop(session).cancel()
        farewell = asyncio.get_running_loop().create_task(session.close())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)
