from __future__ import annotations

import threading

import pytest

from engine.routing.routes import Holder


class Registry:
    """Stands for the database: a version, and routes that name it."""

    def __init__(self) -> None:
        self.version = "one"
        self.looks = 0
        self.is_down = False
        self.gate = threading.Event()
        self.gate.set()
        self.is_loading = threading.Event()

    def current_version(self) -> str:
        self.looks += 1
        return self.version

    def load(self) -> str:
        self.is_loading.set()
        self.gate.wait()
        if self.is_down:
            raise ConnectionError
        return f"routes {self.version}"


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def holder(registry, clock):
    return Holder(
        max_age=2.0, load=registry.load, version=registry.current_version, clock=clock
    )


def test_holder_looks_at_the_stamp_when_the_time_has_come(holder, registry, clock):
    assert holder.checked() == "routes one"
    registry.version = "two"
    assert holder.checked() == "routes one"
    assert registry.looks == 1

    clock.pass_by(minutes=1)
    assert holder.fresh() is None
    assert holder.checked() == "routes two"


def test_holder_loads_once_while_the_stamp_stays(holder, registry, clock):
    first = holder.checked()
    clock.pass_by(minutes=1)

    assert holder.checked() is first
    assert registry.looks == 2


def test_holder_serves_what_it_has_while_another_thread_loads(holder, registry, clock):
    holder.checked()
    registry.version = "two"
    registry.gate.clear()
    registry.is_loading.clear()
    clock.pass_by(minutes=1)
    thread = threading.Thread(target=holder.checked)
    thread.start()
    registry.is_loading.wait()

    assert holder.checked() == "routes one"

    registry.gate.set()
    thread.join()
    assert holder.checked() == "routes two"


def test_holder_after_a_load_that_failed_tries_again(holder, registry, clock):
    holder.checked()
    registry.version = "two"
    registry.is_down = True
    clock.pass_by(minutes=1)
    with pytest.raises(ConnectionError):
        holder.checked()

    registry.is_down = False
    assert holder.checked() == "routes two"


def test_holder_holds_nothing_before_the_first_load(holder):
    with pytest.raises(RuntimeError):
        holder.held()
