"""Processes that accept messages at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage


def commit_concurrently(
    calls: Sequence[Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """What processes get that accept at the same moment: each waits for the others
    between looking for earlier messages and writing its own, for as long as it can."""
    real, gate = commit._earlier_copies, threading.Barrier(len(calls), timeout=2)

    def wait_after_lookup(batch: Sequence[AcceptedMessage]) -> Any:
        found = real(batch)
        with suppress(threading.BrokenBarrierError):
            gate.wait()
        return found

    monkeypatch.setattr(commit, "_earlier_copies", wait_after_lookup)
    answers: list[Any] = [None] * len(calls)

    def answer(at: int) -> None:
        try:
            answers[at] = calls[at]()
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=[at]) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
