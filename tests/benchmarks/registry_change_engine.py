"""Runs `manage.py run_engine` of any version and measures it, for `registry_change`.

Appends a line to its own file every half second: the time, the processor time of the
whole process and of following the registry, its memory in octets, and the lag in
seconds of each event loop tick since the last line.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

TICK = 0.005  # seconds
WRITE_EVERY = 0.5
# The functions in which versions check the registry, and load or follow it.
PLACES = (
    ("engine.routing.follower", "Follower", "_follow"),
    (".".join(("engine", "registry", "routes")), "Holder", "_reloaded"),
)


class Measured(asyncio.DefaultEventLoopPolicy):
    """An event loop policy whose loops record their lag."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file = folder / f"{os.getpid()}.jsonl"
        self.following = 0.0

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        late: list[float] = []
        wrote_at = 0.0

        def tick(due: float) -> None:
            nonlocal wrote_at
            now = loop.time()
            late.append(round(now - due, 5))
            if now - wrote_at >= WRITE_EVERY:
                self._write(late)
                late.clear()
                wrote_at = now
            loop.call_at(now + TICK, tick, now + TICK)

        loop.call_soon(tick, loop.time())
        return loop

    def _write(self, late: list[float]) -> None:
        line = {
            "at": time.time(),
            "process": time.process_time(),
            "following": self.following,
            "memory": memory(),
            "late": late,
        }
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def measure(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*args)
            finally:
                self.following += time.thread_time() - began

        return measured


def memory() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    policy = Measured(Path(os.environ["MEASURED"]))
    asyncio.set_event_loop_policy(policy)
    import django

    django.setup()
    for module, name, method in PLACES:
        with suppress(ImportError):
            kind = getattr(importlib.import_module(module), name)
            setattr(kind, method, policy.measure(getattr(kind, method)))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
