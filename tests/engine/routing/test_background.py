from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import transaction

from engine.registry import change_log
from engine.registry.change_log import Position
from engine.registry.models.change import Change, ChangeKind
from engine.routing import routes
from engine.routing.follower import Followed, Follower
from engine.routing.snapshot import Routes
from tests.peers.process import PATIENCE, wait_until


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
    monkeypatch.setattr(routes, "_is_refreshed", threading.Event())
    monkeypatch.setattr(routes, "_background", background)
    monkeypatch.setattr(routes, "MAX_AGE", 0.001)
    monkeypatch.setattr(routes, "EVERY", 0.01)
    monkeypatch.setattr(routes, "SOONEST", 0.001)
    yield made
    followed.clear()
    change_log.committed.set()
    for thread in background:
        thread.join()


def test_a_thread_follows_and_others_ask_nothing(registry: Registry) -> None:
    routes.follow_in_background(at_once=True)
    wait_until(lambda: len(registry.readers) > 2, "the thread")

    for _ in range(100):
        routes.current()

    assert set(registry.readers) == {"routes"}


def test_what_was_loaded_is_kept_from_the_garbage_collector_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen_at: list[int] = []
    monkeypatch.setattr(
        routes.gc, "freeze", lambda: frozen_at.append(len(registry.readers))
    )

    routes.follow_in_background(at_once=True)
    wait_until(lambda: len(registry.readers) > 3, "the thread")

    assert frozen_at == [1]


def test_a_process_looks_at_once_at_its_own_change(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    monkeypatch.setattr(routes, "_follower", Follower(max_age=60, source=registry))
    monkeypatch.setattr(routes, "EVERY", PATIENCE)
    routes.follow_in_background(at_once=True)
    wait_until(lambda: len(registry.readers) == 1, "the first load")

    Change.objects.record(ChangeKind.PERSON, [1])

    wait_until(lambda: len(registry.readers) == 2, "the look after the commit")


def test_a_change_that_is_rolled_back_is_not_looked_for(transactional_db: None) -> None:
    change_log.committed.clear()

    with pytest.raises(RuntimeError), transaction.atomic():
        Change.objects.record(ChangeKind.PERSON, [1])
        raise RuntimeError

    assert not change_log.committed.is_set()


async def test_a_commit_of_the_engine_reads_nothing(registry: Registry) -> None:
    await routes.refresh()
    await asyncio.sleep(0.01)

    for _ in range(100):
        routes.current()

    assert len(registry.readers) == 1


def test_a_process_that_never_asks_reads_nothing(registry: Registry) -> None:
    routes.follow_in_background(at_once=False)
    assert registry.readers == []

    routes.current()

    wait_until(lambda: "routes" in registry.readers, "the thread")
