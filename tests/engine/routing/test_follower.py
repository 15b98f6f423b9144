from __future__ import annotations

import threading

import pytest

from engine.observability import metrics
from engine.registry.change_log import Position
from engine.routing import routes
from engine.routing.follower import Followed, Follower


class Registry:
    """Stands for the database: a version, and routes that name it."""

    def __init__(self) -> None:
        self.version = "one"
        self.looks = 0
        self.is_down = False
        self.gate = threading.Event()
        self.gate.set()
        self.is_loading = threading.Event()

    def follow(self, held):
        self.looks += 1
        return held if held.position.mark == self.version else None

    def load(self):
        self.looks += 1
        self.is_loading.set()
        self.gate.wait()
        if self.is_down:
            raise ConnectionError
        return Followed(f"routes {self.version}", Position(1, self.version))


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def follower(registry, clock):
    return Follower(max_age=2.0, source=registry, clock=clock)


def test_follower_looks_at_the_log_when_the_time_has_come(follower, registry, clock):
    assert follower.checked() == "routes one"
    registry.version = "two"
    assert follower.checked() == "routes one"
    assert registry.looks == 1

    clock.advance(minutes=1)
    assert follower.fresh() is None
    assert follower.checked() == "routes two"


def test_metrics_show_how_far_a_process_has_followed(follower):
    follower.checked()

    assert follower.position.sequence == 1
    assert metrics.CHANGES._value.get() == 1


def test_every_look_of_a_process_reads_the_log(registry, clock):
    follower = Follower(max_age=routes.FRESH_FOR, source=registry, clock=clock)
    for look in range(1, 5):
        follower.checked()
        assert registry.looks == look
        clock.advance(minutes=routes.EVERY / 60)


def test_follower_loads_once_while_nothing_changes(follower, registry, clock):
    first = follower.checked()
    clock.advance(minutes=1)

    assert follower.checked() is first
    assert registry.looks == 2


def test_follower_serves_what_it_has_while_another_thread_loads(
    follower, registry, clock
):
    follower.checked()
    registry.version = "two"
    registry.gate.clear()
    registry.is_loading.clear()
    clock.advance(minutes=1)
    thread = threading.Thread(target=follower.checked)
    thread.start()
    registry.is_loading.wait()

    assert follower.checked() == "routes one"

    registry.gate.set()
    thread.join()
    assert follower.checked() == "routes two"


def test_follower_after_a_load_that_failed_tries_again(follower, registry, clock):
    follower.checked()
    registry.version = "two"
    registry.is_down = True
    clock.advance(minutes=1)
    with pytest.raises(ConnectionError):
        follower.checked()

    registry.is_down = False
    assert follower.checked() == "routes two"


def test_follower_holds_nothing_before_the_first_load(follower):
    with pytest.raises(RuntimeError):
        follower.held()
