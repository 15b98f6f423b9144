from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from engine.antivirus.verdict import Verdict, VerdictState
from engine.smtp import message_acceptance
from engine.smtp.spool import Spool
from tests.fakes import FakeScan, FakeScanner

CLEAN = Verdict(VerdictState.CLEAN)
HEADER = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"


class HangingScanner:
    """A scanner that takes every message and never returns a verdict."""

    def __init__(self) -> None:
        self.asked = 0

    def open(self) -> HangingScan:
        return HangingScan(self)


class HangingScan(FakeScan):
    def __init__(self, scanner: HangingScanner) -> None:
        super().__init__()
        self.scanner = scanner

    async def verdict(self) -> Verdict:
        self.scanner.asked += 1
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture(autouse=True)
def of_this_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    large = asyncio.Semaphore(message_acceptance.LARGE_AT_ONCE)
    monkeypatch.setattr(message_acceptance, "_large", large)


async def asked(scanner: HangingScanner, times: int) -> None:
    async with asyncio.timeout(20):
        while scanner.asked < times:
            await asyncio.sleep(0.01)


@contextmanager
def large(scanner: object) -> Iterator[SimpleNamespace]:
    """Returns a message with an attachment too large for memory, for that scanner."""
    spool = Spool()
    spool.write(HEADER + base64.encodebytes(bytes(100_000)).replace(b"\n", b"\r\n"))
    assert not spool.is_small
    try:
        yield SimpleNamespace(spool=spool, scanner=scanner)
    finally:
        spool.discard()


async def test_a_large_message_waits_for_no_other_that_the_scanner_holds() -> None:
    hanging = HangingScanner()
    with large(hanging) as held, large(FakeScanner()) as other:
        tasks = [
            asyncio.create_task(message_acceptance._examine(held, CLEAN))
            for _ in range(message_acceptance.LARGE_AT_ONCE - 1)
        ]
        await asked(hanging, len(tasks))

        examined = message_acceptance._examine(other, CLEAN)
        assert await asyncio.wait_for(examined, 10) == ([], True)

        assert not any(task.done() for task in tasks)
        await cancelled(tasks)


async def test_no_more_large_messages_are_held_in_memory_than_so_many() -> None:
    hanging = HangingScanner()
    with large(hanging) as held:
        tasks = [
            asyncio.create_task(message_acceptance._examine(held, CLEAN))
            for _ in range(message_acceptance.LARGE_AT_ONCE + 3)
        ]
        await asked(hanging, message_acceptance.LARGE_AT_ONCE)
        await asyncio.sleep(0.3)

        assert hanging.asked == message_acceptance.LARGE_AT_ONCE
        await cancelled(tasks)


async def cancelled(tasks: list[asyncio.Task[list[str]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
