"""Holds what all POP3 sessions of a process share: certificate, threads and limits."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from django.conf import settings

from engine.database.threads import DatabaseThreads
from engine.network import connection_limits
from engine.network.connection_limits import Place
from engine.network.server_connections import OpenConnections
from engine.pop3.maildrop_lock import LeaseRenewal


def _places() -> connection_limits.Limits:
    return connection_limits.Limits(settings.POSTERN.pop3_sessions)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may ask of us.

    `idle` is in seconds (RFC 1939 §3: at least ten minutes). `failures` counts wrong app
    passwords, `errors` refused commands, both in one connection.
    """

    places: connection_limits.Limits = field(default_factory=_places)
    idle: float = 600.0
    failures: int = 3
    errors: int = 20


@dataclass
class ServerContext:
    """What all POP3 sessions of a process share.

    `threads` do the database work, so that the event loop never waits for it.
    `tls_context` is replaced when the certificate is renewed. `in_use` has the mailboxes
    with a session in this process; between processes the lock in the database decides,
    which `renewal` keeps.
    """

    tls_context: ssl.SSLContext
    threads: DatabaseThreads
    limits: Limits = field(default_factory=Limits)
    in_use: set[int] = field(default_factory=set)
    renewal: LeaseRenewal = field(default_factory=LeaseRenewal)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sessions = OpenConnections(self.limits.places)

    def track(self, session: asyncio.Task[None], place: Place) -> None:
        """Keeps a reference to a session until it ends, and then releases its place."""
        # asyncio itself holds tasks weakly: without this one could be collected.
        self._tasks.add(session)
        session.add_done_callback(self._tasks.discard)
        session.add_done_callback(lambda _: self.sessions.release(place))

    async def close(self) -> None:
        """Ends every session; messages that they marked as deleted stay."""
        sessions = list(self._tasks)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await self.renewal.close()
