"""Threads are shared fairly between clients, even if one asks for more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from portal.serving import fair_threads
from portal.serving.fair_threads import CrowdedError, FairThreads
from tests.portal.serving.conftest import PATIENCE


@pytest_asyncio.fixture
async def four() -> AsyncIterator[FairThreads]:
    made = FairThreads(4)
    yield made
    await made.close()


async def test_result_and_fault_reach_the_caller(four: FairThreads) -> None:
    assert await four.run("a", lambda: 7) == 7

    with pytest.raises(ZeroDivisionError):
        await four.run("a", lambda: 1 // 0)
    assert await four.run("a", lambda: 8) == 8


async def test_one_client_never_has_every_thread(four: FairThreads) -> None:
    held = threading.Event()
    try:
        slow = [asyncio.create_task(four.run("a", held.wait)) for _ in range(20)]
        await asyncio.sleep(0)

        async with asyncio.timeout(PATIENCE):
            assert await four.run("b", lambda: "served") == "served"
        assert four._running["a"] == 3
    finally:
        held.set()
    await asyncio.gather(*slow)


async def test_clients_take_turns() -> None:
    one = FairThreads(1)
    held = threading.Event()
    order: list[str] = []
    first = asyncio.create_task(one.run("z", held.wait))
    await asyncio.sleep(0)
    wanted = ["a", "a", "a", "a", "b", "c", "b"]
    waiting = [
        asyncio.create_task(one.run(client, lambda client=client: order.append(client)))
        for client in wanted
    ]
    await asyncio.sleep(0)

    held.set()
    await asyncio.gather(first, *waiting)

    assert order == ["a", "b", "c", "a", "b", "a", "a"]
    await one.close()


async def test_a_client_that_has_left_takes_no_thread() -> None:
    one = FairThreads(1)
    held = threading.Event()
    first = asyncio.create_task(one.run("a", held.wait))
    called: list[str] = []
    gone = asyncio.create_task(one.run("b", lambda: called.append("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)

    held.set()
    await first
    await one.run("c", lambda: called.append("here"))

    assert called == ["here"]
    await one.close()


async def test_a_caller_that_is_cancelled_leaves_the_thread_whole(
    four: FairThreads,
) -> None:
    held = threading.Event()
    gone = asyncio.create_task(four.run("a", held.wait))
    await asyncio.sleep(0)
    gone.cancel()
    held.set()

    for _ in range(5):
        assert await four.run("a", lambda: "served") == "served"
    async with asyncio.timeout(PATIENCE):
        while four._running:
            await asyncio.sleep(0.01)
    assert four._free == 4


async def test_too_many_waiting_are_refused(
    four: FairThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_threads, "MAX_WAITING_PER_CLIENT", 2)
    held = threading.Event()
    slow = [asyncio.create_task(four.run("a", held.wait)) for _ in range(5)]
    await asyncio.sleep(0)

    with pytest.raises(CrowdedError):
        await four.run("a", lambda: None)
    assert await four.run("b", lambda: "served") == "served"

    held.set()
    await asyncio.gather(*slow)
