from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.registry.change_log import Position
from engine.routing import routes
from engine.routing.follower import Followed, Follower
from engine.routing.snapshot import Routes
from tests.peers.process import wait_until


class Registry:
    """Records the threads in which it is read."""

    def __init__(self) -> None:
        self.readers: list[str] = []

    def load(self) -> Followed:
        self.readers.append(threading.current_thread().name)
        return Followed(Routes(), Position(1, "x"))

    def follow(self, held: Followed) -> Followed:
        self.readers.append(threading.current_thread().name)
        return held


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    made, followed = Registry(), threading.Event()
    background: list[threading.Thread] = []
    monkeypatch.setattr(routes, "_follower", Follower(max_age=0.001, source=made))
    monkeypatch.setattr(routes, "_is_followed", followed)
    monkeypatch.setattr(routes, "_background", background)
    monkeypatch.setattr(routes, "MAX_AGE", 0.001)
    monkeypatch.setattr(routes, "EVERY", 0.01)
    yield made
    followed.clear()
    for thread in background:
        thread.join()


def test_a_thread_follows_and_others_ask_nothing(registry: Registry) -> None:
    routes.follow_in_background(at_once=True)
    wait_until(lambda: len(registry.readers) > 2, "the thread")

    for _ in range(100):
        routes.current()

    assert set(registry.readers) == {"routes"}


def test_a_process_that_never_asks_reads_nothing(registry: Registry) -> None:
    routes.follow_in_background(at_once=False)
    assert registry.readers == []

    routes.current()

    wait_until(lambda: "routes" in registry.readers, "the thread")
