"""Runs one program as several processes that share its ports, each replaced if it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from engine.processes import resource_limits
from engine.processes.supervision import Kept, end_all

LOOK_EVERY = 1.0
# Seconds that each has to finish what it is doing.
GRACE = 15.0

Serve = Callable[[asyncio.Event], Awaitable[None]]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options by which a command of manage.py knows what it is part of."""
    parser.add_argument(
        "--child-of",
        type=int,
        default=0,
        metavar="PID",
        help="stop when that process, which started this one, is gone",
    )
    parser.add_argument(
        "--alone", action="store_true", help="start no other processes beside this one"
    )


def run(command: str, serve: Serve, *, count: int, options: dict[str, Any]) -> None:
    """Run `serve` here and, unless this is to be `alone`, in `count - 1` more processes.

    `serve` ends when the event that it is given is set: on SIGINT or SIGTERM, or when
    the process that started this one is gone. Whichever of the others ends is replaced;
    this one is replaced by the process that started it, and then the others end.
    """
    resource_limits.return_large_buffers()
    others = [] if options["alone"] else _others(command, count)
    try:
        asyncio.run(_run(serve, others, options["child_of"]))
    finally:
        end_all(others, grace=GRACE)


def has_lost(parent: int) -> bool:
    """Whether the process that started this one, if any is named, is gone."""
    return bool(parent) and os.getppid() != parent


def _others(command: str, count: int) -> list[Kept]:
    return [
        Kept(f"{command} {number}", partial(_start, command))
        for number in range(2, count + 1)
    ]


def _start(command: str) -> subprocess.Popen[bytes]:
    arguments = [command, "--alone", "--child-of", str(os.getpid())]
    return subprocess.Popen([sys.executable, sys.argv[0], *arguments])  # noqa: S603


async def _run(serve: Serve, others: Sequence[Kept], parent: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch(others, parent, stop))
    await serve(stop)
    await watch


async def _watch(others: Sequence[Kept], parent: int, stop: asyncio.Event) -> None:
    """Replace those of the others that end; stop when the parent is gone.

    Stops where it cannot go on, too: this process is started again by its parent, while
    others that end unnoticed would be missed for good.
    """
    try:
        while not stop.is_set():
            for one in others:
                one.look()
            if has_lost(parent):
                stop.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
    finally:
        stop.set()
