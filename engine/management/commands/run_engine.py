"""`manage.py run_engine`: SMTP, POP3 and the queue, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from engine.management.engine import run_engine

LOOK_EVERY = 1.0

Process = subprocess.Popen[bytes]


class Command(BaseCommand):
    help = "Run the mail engine: SMTP, POP3 and the queue."
    # They load every page of the site: mail would wait twice as long after each restart.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--child-of",
            type=int,
            default=0,
            metavar="PID",
            help="stop when that process, which started this one, is gone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One process, or as many as POSTERN_ENGINE_PROCESSES says, on the same ports.

        They end together: half an engine would be noticed by nobody.
        """
        parent = options["child_of"]
        count = 1 if parent else settings.POSTERN.engine_processes
        others = [_start() for _ in range(count - 1)]
        try:
            asyncio.run(_run(others, parent))
        finally:
            for process in others:
                process.terminate()
                process.wait()


def _start() -> Process:
    own = str(os.getpid())
    command = [sys.executable, sys.argv[0], "run_engine", "--child-of", own]
    return subprocess.Popen(command)  # noqa: S603


async def _run(others: Sequence[Process], parent: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch(others, parent, stop))
    await run_engine(stop)
    await watch


async def _watch(others: Sequence[Process], parent: int, stop: asyncio.Event) -> None:
    """Stop when another process of the engine has ended."""
    while not stop.is_set():
        has_ended = any(process.poll() is not None for process in others)
        if has_ended or (parent and os.getppid() != parent):
            stop.set()
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except TimeoutError:
            continue
