"""Decides which connections a port keeps, and which make room when there are too many.

Plain bookkeeping without a socket: `engine.network.server_connections` puts it beside an event loop.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Any

# Addresses that are remembered because somebody signed in from them.
REMEMBERED = 10_000


class Dropped(Enum):
    """Why a connection was ended by us."""

    CROWDED = "others wait, and this one was the first to make room"
    SLOW = "nobody signed in for too long"


Drop = Callable[[Dropped], None]
Ends = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections a port of one process keeps open.

    A stranger is a peer that has not signed in, at an address that nobody knows. A
    quarter of all places is never theirs. `patience` is how many seconds a peer may take
    to sign in; for strangers it shrinks to `least_patience` as their places fill up.
    """

    total: int
    per_address: int = 100
    strangers_per_address: int = 50
    strangers_per_network: int = 200
    patience: float = 120.0
    least_patience: float = 10.0

    @property
    def for_strangers(self) -> int:
        """How many strangers there may be."""
        return self.total - self.total // 4


@dataclass(eq=False, slots=True)
class Place:
    """One connection: the same before and after its TLS has begun."""

    ends: Ends
    address: str
    network: str
    is_known: bool
    since: float
    drop: Drop
    is_bound: bool = False


@dataclass
class Places:
    """The connections of one port, fewer than its limits.

    Newcomers are not refused because others came first: silent connections cost their
    owner nothing, and would shut the port to everybody. The oldest stranger of whichever
    network holds the most places makes room, so that an address with one connection of
    its own is the last to lose it.
    """

    limits: Limits
    is_known: Callable[[str], bool] = lambda address: False
    clock: Callable[[], float] = time.monotonic
    # Whether an address is known once somebody has signed in from it.
    remembers: bool = True
    _places: dict[Ends, Place] = field(default_factory=dict)
    # Not bound, the oldest first.
    _waiting: dict[Place, None] = field(default_factory=dict)
    _by_address: Counter[str] = field(default_factory=Counter)
    # Strangers by network and address, and how many a network has.
    _strangers: dict[str, dict[str, dict[Place, None]]] = field(default_factory=dict)
    _by_network: Counter[str] = field(default_factory=Counter)
    _bound_lately: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def strangers(self) -> int:
        """How many places strangers hold."""
        return self._by_network.total()

    def take(self, ends: Ends, address: str, drop: Drop) -> Place | None:
        """Count a connection in, once; None where nobody can make room for it.

        `drop` is called when it must go; a second call for the same connection changes
        who hears of that, as when TLS has begun.
        """
        if place := self._places.get(ends):
            place.drop = drop
            return place
        is_known = address in self._bound_lately or self.is_known(address)
        place = Place(ends, address, network_of(address), is_known, self.clock(), drop)
        if not self._make_room(place):
            return None
        self._places[ends] = place
        self._by_address[address] += 1
        self._wait(place)
        return place

    def bind(self, place: Place | None) -> None:
        """Note that its peer has shown who it is: it never makes room for others."""
        if place is None or place.is_bound or self._is_gone(place):
            return
        self._stop_waiting(place)
        place.is_bound = True
        if not self.remembers:
            return
        place.is_known = True
        self._bound_lately[place.address] = None
        self._bound_lately.move_to_end(place.address)
        if len(self._bound_lately) > REMEMBERED:
            self._bound_lately.popitem(last=False)

    def unbind(self, place: Place | None) -> None:
        """Note that what its peer has shown holds no more."""
        if place is None or not place.is_bound or self._is_gone(place):
            return
        place.is_bound, place.since = False, self.clock()
        self._wait(place)

    def release(self, place: Place | None) -> None:
        """Count a connection out; harmless for one that is out already."""
        if place is None or self._is_gone(place):
            return
        del self._places[place.ends]
        _count_down(self._by_address, place.address)
        if not place.is_bound:
            self._stop_waiting(place)

    def patience(self) -> float:
        """Seconds that a stranger has for signing in, at present."""
        most = self.limits.patience
        least = min(self.limits.least_patience, most)
        taken = self.strangers / max(self.limits.for_strangers, 1)
        return most - (most - least) * max(0.0, taken - 0.5) * 2

    def expire(self) -> None:
        """Drop the connections that have taken too long to sign in."""
        now, for_strangers = self.clock(), self.patience()
        for place in list(self._waiting):
            allowed = self.limits.patience if place.is_known else for_strangers
            if now - place.since >= allowed:
                self._drop(place, Dropped.SLOW)

    def _make_room(self, place: Place) -> bool:
        limits = self.limits
        if self._by_address[place.address] >= limits.per_address:
            same = (one for one in self._waiting if one.address == place.address)
            return self._crowd_out(next(same, None))
        if not place.is_known:
            neighbours = self._strangers.get(place.network, {})
            if len(neighbours.get(place.address, ())) >= limits.strangers_per_address:
                return self._crowd_out(_oldest({"": neighbours[place.address]}))
            if self._by_network[place.network] >= limits.strangers_per_network:
                return self._crowd_out(_oldest(neighbours))
            if self.strangers >= limits.for_strangers:
                return self._crowd_out(self._greediest())
        if len(self) >= limits.total:
            known = next(iter(self._waiting), None) if place.is_known else None
            return self._crowd_out(self._greediest() or known)
        return True

    def _greediest(self) -> Place | None:
        """The oldest stranger of the network that has the most."""
        if not self._by_network:
            return None
        # Of several the one that was there first: max() keeps the order they came in.
        network = max(self._by_network, key=self._by_network.__getitem__)
        return _oldest(self._strangers[network])

    def _crowd_out(self, place: Place | None) -> bool:
        if place is None:
            return False
        self._drop(place, Dropped.CROWDED)
        return True

    def _drop(self, place: Place, why: Dropped) -> None:
        self.release(place)
        place.drop(why)

    def _is_gone(self, place: Place) -> bool:
        return self._places.get(place.ends) is not place

    def _wait(self, place: Place) -> None:
        self._waiting[place] = None
        if not place.is_known:
            addresses = self._strangers.setdefault(place.network, {})
            addresses.setdefault(place.address, {})[place] = None
            self._by_network[place.network] += 1

    def _stop_waiting(self, place: Place) -> None:
        del self._waiting[place]
        if place.is_known:
            return
        addresses = self._strangers[place.network]
        del addresses[place.address][place]
        if not addresses[place.address]:
            del addresses[place.address]
        if not addresses:
            del self._strangers[place.network]
        _count_down(self._by_network, place.network)


def network_of(address: str) -> str:
    """The network that one owner is likely to have whole: IPv4 /24, IPv6 /64."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return found.exploded[:19]
        found = found.ipv4_mapped
    return str(found).rpartition(".")[0]


def _oldest(addresses: dict[str, dict[Place, None]]) -> Place:
    """The oldest place of the address that has the most."""
    most: dict[Place, None] = max(addresses.values(), key=len)
    return next(iter(most))


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
