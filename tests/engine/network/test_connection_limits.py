"""Which clients keep their places at a port that fills up, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from engine.network import connection_limits
from engine.network.connection_limits import (
    DropReason,
    Limits,
    Place,
    Places,
    network_of,
)

LIMITS = Limits(
    total=40,
    per_address=20,
    strangers_per_address=10,
    strangers_per_network=15,
    patience=100.0,
    least_patience=10.0,
)  # and therefore thirty places for strangers


@dataclass
class Port:
    """Places with a clock that the test sets, and why connections were dropped."""

    limits: Limits = LIMITS
    known: set[str] = field(default_factory=set)
    now: float = 0.0
    dropped: dict[int, DropReason] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.places = Places(
            self.limits, is_known=self.known.__contains__, clock=lambda: self.now
        )

    def connect(self, address: str) -> tuple[int, Place | None]:
        number = next(self._numbers)

        def drop(why: DropReason) -> None:
            self.dropped[number] = why

        return number, self.places.take((address, number), address, drop)

    def fill(self, address: str, connections: int) -> list[int]:
        return [self.connect(address)[0] for _ in range(connections)]


def stranger(network: int, host: int = 1) -> str:
    return f"192.0.{network}.{host}"


def test_newcomer_gets_in_where_strangers_hold_all_they_may() -> None:
    port = Port()
    for network in range(10):
        port.fill(stranger(network), 10)

    number, place = port.connect("198.51.100.7")

    assert place is not None
    assert number not in port.dropped
    assert port.places.strangers == LIMITS.for_strangers


def test_oldest_of_the_greediest_network_makes_room() -> None:
    port = Port()
    [modest] = port.fill(stranger(1), 1)
    greedy = port.fill(stranger(2), 10) + port.fill(stranger(2, host=2), 5)
    for network in range(3, 10):
        port.fill(stranger(network), 2)

    port.connect("198.51.100.7")

    assert port.dropped == {greedy[0]: DropReason.CROWDED}
    assert modest not in port.dropped


def test_address_with_one_connection_outlives_a_flood_from_elsewhere() -> None:
    port = Port()
    [lonely] = port.fill("198.51.100.7", 1)

    for number in range(2_000):
        port.connect(stranger(number % 20, host=number % 7 + 1))

    assert lonely not in port.dropped


def test_places_are_reserved_for_known_networks() -> None:
    port = Port(known={"203.0.113.9"})
    for number in range(200):
        port.connect(stranger(number % 50))

    made = [port.connect("203.0.113.9")[1] for _ in range(10)]

    assert None not in made
    assert len(port.places) == LIMITS.total


def test_known_address_takes_a_strangers_place_when_all_are_taken() -> None:
    port = Port(known={"203.0.113.9", "203.0.113.10"})
    for number in range(200):
        port.connect(stranger(number % 50))
    port.fill("203.0.113.9", 10)

    _, place = port.connect("203.0.113.10")

    assert place is not None
    assert port.places.strangers == LIMITS.for_strangers - 1


def test_address_from_which_somebody_signed_in_is_known_afterwards() -> None:
    port = Port()
    _, place = port.connect("198.51.100.7")
    port.places.bind(place)
    port.places.release(place)
    for number in range(200):
        port.connect(stranger(number % 50))

    _, again = port.connect("198.51.100.7")

    assert again is not None
    assert again.is_known
    assert port.places.strangers == LIMITS.for_strangers


def test_who_has_signed_in_never_makes_room() -> None:
    port = Port()
    bound = []
    for network in range(10):
        number, place = port.connect(f"198.51.100.{network}")
        port.places.bind(place)
        bound.append(number)

    for number in range(500):
        port.connect(stranger(number % 50))

    assert not set(bound) & set(port.dropped)


def test_nobody_makes_room_where_all_have_signed_in() -> None:
    port = Port(limits=replace(LIMITS, total=4))
    for network in range(4):
        port.places.bind(port.connect(stranger(network))[1])

    assert port.connect("198.51.100.7")[1] is None


def test_address_at_its_limit_makes_its_own_room() -> None:
    port = Port()
    mine = port.fill(stranger(1), 10)
    port.connect(stranger(2))

    _, place = port.connect(stranger(1))

    assert place is not None
    assert list(port.dropped) == [mine[0]]


def test_newcomer_gets_in_from_a_network_at_its_limit() -> None:
    port = Port()
    greedy = port.fill(stranger(1, host=1), 10)
    port.fill(stranger(1, host=2), 5)

    _, place = port.connect(stranger(1, host=3))

    assert place is not None
    assert list(port.dropped) == [greedy[0]]


def test_address_with_only_bound_connections_is_held_to_its_limit() -> None:
    port = Port(known={stranger(1)})
    for _ in range(LIMITS.per_address):
        port.places.bind(port.connect(stranger(1))[1])

    assert port.connect(stranger(1))[1] is None


def test_patience_with_strangers_shrinks_as_places_fill_up() -> None:
    port = Port()
    assert port.places.patience() == 100
    port.fill(stranger(1), 10)
    port.fill(stranger(2), 5)
    assert port.places.patience() == 100

    port.fill(stranger(3), 10)
    port.fill(stranger(4), 5)

    assert port.places.patience() == 10


def test_silent_connections_end_sooner_on_a_full_port() -> None:
    port = Port(known={"203.0.113.9"})
    [known] = port.fill("203.0.113.9", 1)
    silent = [n for network in range(3) for n in port.fill(stranger(network), 10)]

    port.now = 10.5
    port.places.expire()

    assert set(port.dropped) == set(silent)
    assert set(port.dropped.values()) == {DropReason.SLOW}
    port.now = 100.5
    port.places.expire()
    assert port.dropped[known] == DropReason.SLOW


def test_session_whose_sign_in_ended_waits_like_any_other() -> None:
    port = Port()
    number, place = port.connect(stranger(1))
    port.places.bind(place)
    port.now = 150
    port.places.expire()
    assert number not in port.dropped

    port.places.unbind(place)
    port.now = 240
    port.places.expire()
    assert number not in port.dropped
    port.now = 260
    port.places.expire()
    assert number in port.dropped


def test_connection_counts_once_before_and_after_its_tls() -> None:
    port = Port()
    _, place = port.connect(stranger(1))
    assert place is not None
    heard: list[DropReason] = []

    again = port.places.take(place.endpoints, place.address, heard.append)
    port.fill(stranger(1), 10)

    assert again is place
    assert heard == [DropReason.CROWDED]


def test_remembered_addresses_are_bounded() -> None:
    port = Port()
    for number in range(connection_limits.REMEMBERED + 5):
        _, place = port.connect(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        port.places.bind(place)
        port.places.release(place)

    assert len(port.places._recently_bound) == connection_limits.REMEMBERED


def test_networks() -> None:
    assert network_of("192.0.2.1") == network_of("192.0.2.200")
    assert network_of("192.0.2.1") != network_of("192.0.3.1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:3:4:5:6")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
    assert network_of("") == ""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["connect", "bind", "unbind", "release", "wait"]),
        st.integers(0, 60),
    ),
    max_size=200,
)


@given(STEPS)
def test_counts_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    limits = Limits(
        total=8,
        per_address=4,
        strangers_per_address=3,
        strangers_per_network=4,
        patience=30.0,
        least_patience=5.0,
    )
    port = Port(limits, known={stranger(0)})
    made: list[tuple[int, Place]] = []
    for step, value in steps:
        if step == "connect":
            number, place = port.connect(stranger(value % 5, host=value % 3))
            if place is not None:
                made.append((number, place))
        elif step == "wait":
            port.now += value
            port.places.expire()
        elif made:
            getattr(port.places, step)(made[value % len(made)][1])

        alive = [p for n, p in made if port.places._places.get(p.endpoints) is p]
        assert len(alive) == len(port.places) <= limits.total
        assert port.places.strangers <= limits.for_strangers
        assert set(port.places._waiting) == {p for p in alive if not p.is_bound}
        assert port.places.strangers == sum(
            not p.is_bound and not p.is_known for p in alive
        )
