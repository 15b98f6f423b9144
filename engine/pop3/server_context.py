"""What all POP3 sessions of a process share: certificate, threads and limits."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from django.conf import settings

from engine import places
from engine.places import Place
from engine.sessions import Sessions
from engine.threads import DatabaseThreads


def _places() -> places.Limits:
    return places.Limits(settings.POSTERN.pop3_sessions)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a peer may ask of us. Times are in seconds."""

    places: places.Limits = field(default_factory=_places)
    idle: float = 600.0  # RFC 1939 §3: at least ten minutes
    failures: int = 3  # wrong app passwords in one connection
    errors: int = 20  # refused commands in one connection


@dataclass
class Listener:
    """`threads` do the database work, so that the event loop never waits for it."""

    tls_context: ssl.SSLContext
    threads: DatabaseThreads
    limits: Limits = field(default_factory=Limits)
    # Mailboxes with a session in this process; between processes there is the lease.
    in_use: set[int] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.limits.places)

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
