"""Decides which connections a port keeps, and which it drops when there are too many.

Plain bookkeeping without sockets; `engine.network.server_connections` ties it to an event
loop. Each connection holds a place. The README of the engine gives the reasons.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Any

# How many addresses are remembered because a client has signed in from them.
REMEMBERED = 10_000


class DropReason(Enum):
    """Why we ended a connection."""

    CROWDED = "its place was needed for another client"
    SLOW = "the client took too long to sign in"


Drop = Callable[[DropReason], None]
# The addresses of peer and socket, which identify a connection before and after TLS.
Endpoints = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections one port of one process keeps open.

    A stranger is a client at an unknown address that has not signed in. Strangers never
    get more than three quarters of all places. `patience` is how many seconds a client may
    take to sign in; for strangers it falls to `least_patience` as their places fill up.
    """

    total: int
    per_address: int = 100
    strangers_per_address: int = 50
    strangers_per_network: int = 200
    patience: float = 120.0
    least_patience: float = 10.0

    @property
    def for_strangers(self) -> int:
        """Returns how many places strangers may hold."""
        return self.total - self.total // 4


@dataclass(eq=False, slots=True)
class Place:
    """The place of one connection, which keeps it when TLS starts.

    `since` is when the client began to wait for its sign-in, by the clock of `Places`.
    """

    endpoints: Endpoints
    address: str
    network: str
    is_known: bool
    since: float
    drop: Drop
    is_bound: bool = False


@dataclass
class Places:
    """The places of one port, never more than its limits allow.

    A full port does not refuse newcomers: silent connections cost an attacker nothing, and
    a thousand of them would close the port to everyone. Instead it drops the oldest
    stranger of the network that holds the most places, so that an address with a single
    connection is the last to lose it. A process uses it from one thread only.
    """

    limits: Limits
    is_known: Callable[[str], bool] = lambda address: False
    clock: Callable[[], float] = time.monotonic
    # Whether an address becomes known when a client signs in from it.
    remembers: bool = True
    _places: dict[Endpoints, Place] = field(default_factory=dict)
    # Places of clients that have not signed in, the oldest first.
    _waiting: dict[Place, None] = field(default_factory=dict)
    _by_address: Counter[str] = field(default_factory=Counter)
    # Strangers by network and address, and the number in each network.
    _strangers: dict[str, dict[str, dict[Place, None]]] = field(default_factory=dict)
    _by_network: Counter[str] = field(default_factory=Counter)
    _recently_bound: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def strangers(self) -> int:
        """Returns how many places strangers hold."""
        return self._by_network.total()

    def take(self, endpoints: Endpoints, address: str, drop: Drop) -> Place | None:
        """Gives a connection a place; returns None where no other can be dropped for it.

        `drop` is called when the connection must end. A second call for the same
        connection, as after STARTTLS, replaces `drop` and returns the same place.
        """
        if place := self._places.get(endpoints):
            place.drop = drop
            return place
        is_known = address in self._recently_bound or self.is_known(address)
        place = Place(
            endpoints, address, network_of(address), is_known, self.clock(), drop
        )
        if not self._make_room(place):
            return None
        self._places[endpoints] = place
        self._by_address[address] += 1
        self._wait(place)
        return place

    def bind(self, place: Place | None) -> None:
        """Marks the client as signed in: its place is never given to another."""
        if place is None or place.is_bound or self._is_gone(place):
            return
        self._stop_waiting(place)
        place.is_bound = True
        if not self.remembers:
            return
        place.is_known = True
        self._recently_bound[place.address] = None
        self._recently_bound.move_to_end(place.address)
        if len(self._recently_bound) > REMEMBERED:
            self._recently_bound.popitem(last=False)

    def unbind(self, place: Place | None) -> None:
        """Marks the client as no longer signed in, and restarts its time to sign in."""
        if place is None or not place.is_bound or self._is_gone(place):
            return
        place.is_bound, place.since = False, self.clock()
        self._wait(place)

    def release(self, place: Place | None) -> None:
        """Frees a place. Does nothing for one that is free already."""
        if place is None or self._is_gone(place):
            return
        del self._places[place.endpoints]
        _count_down(self._by_address, place.address)
        if not place.is_bound:
            self._stop_waiting(place)

    def patience(self) -> float:
        """Returns how many seconds strangers have to sign in, as busy as the port is now.

        The full time while half of their places are free, then less in proportion.
        """
        most = self.limits.patience
        least = min(self.limits.least_patience, most)
        taken = self.strangers / max(self.limits.for_strangers, 1)
        return most - (most - least) * max(0.0, taken - 0.5) * 2

    def expire(self) -> None:
        """Drops the clients that have taken too long to sign in."""
        now, for_strangers = self.clock(), self.patience()
        for place in list(self._waiting):
            allowed = self.limits.patience if place.is_known else for_strangers
            if now - place.since >= allowed:
                self._drop(place, DropReason.SLOW)

    def _make_room(self, place: Place) -> bool:
        """Drops a connection if a limit is reached; returns False where none can go.

        The narrowest limit is checked first, so that an address or network with too many
        connections loses its own and nobody else's.
        """
        limits = self.limits
        if self._by_address[place.address] >= limits.per_address:
            same = (one for one in self._waiting if one.address == place.address)
            return self._drop_for_newcomer(next(same, None))
        if not place.is_known:
            neighbours = self._strangers.get(place.network, {})
            if len(neighbours.get(place.address, ())) >= limits.strangers_per_address:
                return self._drop_for_newcomer(_oldest({"": neighbours[place.address]}))
            if self._by_network[place.network] >= limits.strangers_per_network:
                return self._drop_for_newcomer(_oldest(neighbours))
            if self.strangers >= limits.for_strangers:
                return self._drop_for_newcomer(self._oldest_of_largest_network())
        if len(self) >= limits.total:
            # A known address may also replace a known one that has not signed in yet.
            known = next(iter(self._waiting), None) if place.is_known else None
            return self._drop_for_newcomer(self._oldest_of_largest_network() or known)
        return True

    def _oldest_of_largest_network(self) -> Place | None:
        """Returns the oldest stranger of the network with the most."""
        if not self._by_network:
            return None
        # Among equals max() returns the first: the network that has been connected longest.
        network = max(self._by_network, key=self._by_network.__getitem__)
        return _oldest(self._strangers[network])

    def _drop_for_newcomer(self, place: Place | None) -> bool:
        if place is None:
            return False
        self._drop(place, DropReason.CROWDED)
        return True

    def _drop(self, place: Place, why: DropReason) -> None:
        self.release(place)
        place.drop(why)

    def _is_gone(self, place: Place) -> bool:
        return self._places.get(place.endpoints) is not place

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
    """Returns the prefix that usually has a single owner: IPv4 /24, IPv6 /64.

    IPv4-mapped IPv6 counts as IPv4. Anything else, such as a local socket, is returned as
    it is.
    """
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
    """Returns the oldest place of the address with the most."""
    most: dict[Place, None] = max(addresses.values(), key=len)
    return next(iter(most))


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
