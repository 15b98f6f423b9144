"""Runs one program as several processes that share its ports and end together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Sequence

LOOK_EVERY = 1.0

Process = subprocess.Popen[bytes]
Serve = Callable[[asyncio.Event], Awaitable[None]]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the option by which a command of manage.py knows that it is not the first."""
    parser.add_argument(
        "--child-of",
        type=int,
        default=0,
        metavar="PID",
        help="stop when that process, which started this one, is gone",
    )


def run(command: str, serve: Serve, *, count: int, parent: int) -> None:
    """Run `serve` here and, where this is the first, in `count - 1` more processes.

    `serve` ends when the event that it is given is set: on SIGINT or SIGTERM, or when
    another of the processes has ended. Half of them would be noticed by nobody.
    """
    others = [] if parent else [_start(command) for _ in range(count - 1)]
    try:
        asyncio.run(_run(serve, others, parent))
    finally:
        for process in others:
            process.terminate()
            process.wait()


def _start(command: str) -> Process:
    own = str(os.getpid())
    return subprocess.Popen([sys.executable, sys.argv[0], command, "--child-of", own])  # noqa: S603


async def _run(serve: Serve, others: Sequence[Process], parent: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch(others, parent, stop))
    await serve(stop)
    await watch


async def _watch(others: Sequence[Process], parent: int, stop: asyncio.Event) -> None:
    """Stop when another of the processes has ended."""
    while not stop.is_set():
        has_ended = any(process.poll() is not None for process in others)
        if has_ended or (parent and os.getppid() != parent):
            stop.set()
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except TimeoutError:
            continue
