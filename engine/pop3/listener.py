"""What all POP3 sessions of a process share: certificate, threads and limits."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from engine.sessions import Place, Sessions
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
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.limits.sessions, self.limits.sessions_per_peer)

    def watch(self, session: asyncio.Task[None], place: Place) -> None:
        """Keep a session until it ends, and its place with it."""
        self._tasks.add(session)
        session.add_done_callback(self._tasks.discard)
        session.add_done_callback(lambda _: self.sessions.release(place))

    async def close(self) -> None:
        """End every session; what they marked as deleted stays."""
        sessions = list(self._tasks)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
