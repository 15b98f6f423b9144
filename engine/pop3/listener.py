"""What all POP3 sessions of a process share: certificate, threads and limits."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from dataclasses import dataclass, field

from engine.threads import DatabaseThreads


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a peer may ask of us. Times are in seconds."""

    sessions: int = 500
    sessions_per_peer: int = 50  # an office behind one address
    idle: float = 600.0  # RFC 1939 §3: at least ten minutes
    sign_in: float = 120.0  # from the greeting on
    failures: int = 3  # wrong app passwords in one connection
    errors: int = 20  # refused commands in one connection


@dataclass
class Listener:
    """`threads` do the database work, so that the event loop never waits for it."""

    tls_context: ssl.SSLContext
    threads: DatabaseThreads
    limits: Limits = Limits()
    # Mailboxes with a session in this process; between processes there is the lease.
    in_use: set[int] = field(default_factory=set)
    _sessions: dict[asyncio.Task[None], str] = field(default_factory=dict)
    _by_peer: Counter[str] = field(default_factory=Counter)

    def has_room(self, peer: str) -> bool:
        return (
            len(self._sessions) < self.limits.sessions
            and self._by_peer[peer] < self.limits.sessions_per_peer
        )

    def admit(self, session: asyncio.Task[None], peer: str) -> None:
        """Count a session in, and out when it ends."""
        self._sessions[session] = peer
        self._by_peer[peer] += 1
        session.add_done_callback(self._release)

    async def close(self) -> None:
        """End every session; what they marked as deleted stays."""
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def _release(self, session: asyncio.Task[None]) -> None:
        peer = self._sessions.pop(session)
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]
