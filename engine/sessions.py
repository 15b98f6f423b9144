"""Sessions is in charge of how many connections a door has open, whoever they are from."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

HANDSHAKE_SECONDS = 30


class Place(NamedTuple):
    """One connection: the same before and after its TLS has begun."""

    peer: str
    ends: tuple[Any, Any]


@dataclass
class Sessions:
    """How many there may be, in all and from one peer, and how many there are."""

    limit: int
    per_peer: int
    _places: set[Place] = field(default_factory=set)
    _by_peer: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self._places)

    def admit(self, transport: asyncio.BaseTransport) -> Place | None:
        """Count a connection in, once; None where there are too many."""
        ends = [transport.get_extra_info(end) for end in ("peername", "sockname")]
        place = Place(str((ends[0] or ("",))[0]), (ends[0], ends[1]))
        if place in self._places:
            return place
        if len(self) >= self.limit or self._by_peer[place.peer] >= self.per_peer:
            return None
        self._places.add(place)
        self._by_peer[place.peer] += 1
        return place

    def release(self, place: Place | None) -> None:
        """Count a connection out; harmless for one that is out already."""
        if place not in self._places:
            return
        self._places.remove(place)
        self._by_peer[place.peer] -= 1
        if not self._by_peer[place.peer]:
            del self._by_peer[place.peer]


class Handshake(SSLProtocol):
    """TLS from the first octet on. A peer counts from its first packet, not from the end
    of its handshake, or thousands that never finish theirs would take every socket."""

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        *,
        context: ssl.SSLContext,
        sessions: Sessions,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            protocol,
            context,
            waiter=_nobody(loop),
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )
        self._sessions = sessions
        self._place: Place | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._place = self._sessions.admit(transport)
        if self._place is None:
            cast(asyncio.WriteTransport, transport).abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._sessions.release(self._place)
        super().connection_lost(exc)


def _nobody(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Nobody waits for the handshake: the protocol hears when it is over."""
    waiter: asyncio.Future[None] = loop.create_future()
    waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
    return waiter
