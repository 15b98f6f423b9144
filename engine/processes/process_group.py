"""Runs a server as several processes that share its ports, and replaces those that die."""

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
from engine.processes.supervision import SupervisedProcess, stop_all

CHECK_SECONDS = 1.0
# How long each process may take to finish its work after SIGTERM.
GRACE_SECONDS = 15.0

Serve = Callable[[asyncio.Event], Awaitable[None]]


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the options that `run` reads to a command of manage.py."""
    parser.add_argument(
        "--child-of",
        type=int,
        default=0,
        metavar="PID",
        help="stop when this process, the parent, has ended",
    )
    parser.add_argument(
        "--alone", action="store_true", help="start no further processes"
    )


def run(command: str, serve: Serve, *, count: int, options: dict[str, Any]) -> None:
    """Runs `serve` in this process and, without `--alone`, in `count - 1` more.

    `serve` must return when its event is set: on SIGINT or SIGTERM, or when the parent of
    this process has ended. This process replaces the others when they end. If it ends
    itself, they notice and end as well, and its parent starts it again.
    """
    resource_limits.return_large_buffers()
    resource_limits.keep_what_is_imported()
    others = [] if options["alone"] else _others(command, count)
    try:
        asyncio.run(_run(serve, others, options["child_of"]))
    finally:
        stop_all(others, grace=GRACE_SECONDS)


def has_lost_parent(parent: int) -> bool:
    """Returns whether the parent with this id has ended; False for id 0, which is none."""
    return bool(parent) and os.getppid() != parent


def _others(command: str, count: int) -> list[SupervisedProcess]:
    return [
        SupervisedProcess(f"{command} {number}", partial(_start, command))
        for number in range(2, count + 1)
    ]


def _start(command: str) -> subprocess.Popen[bytes]:
    arguments = [command, "--alone", "--child-of", str(os.getpid())]
    return subprocess.Popen([sys.executable, sys.argv[0], *arguments])  # noqa: S603


async def _run(serve: Serve, others: Sequence[SupervisedProcess], parent: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch(others, parent, stop))
    await serve(stop)
    await watch


async def _watch(
    others: Sequence[SupervisedProcess], parent: int, stop: asyncio.Event
) -> None:
    """Replaces other processes that end, and stops this one when its parent has ended.

    Also stops this process if the watch itself fails: the parent starts it again, whereas
    processes that end unwatched would never be replaced.
    """
    try:
        while not stop.is_set():
            for one in others:
                one.check()
            if has_lost_parent(parent):
                stop.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), CHECK_SECONDS)
    finally:
        stop.set()
