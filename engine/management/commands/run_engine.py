"""`manage.py run_engine`: SMTP, POP3 and the queue, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from engine.management.engine import run_engine


class Command(BaseCommand):
    help = "Run the mail engine: SMTP, POP3 and the queue."

    def handle(self, *args: Any, **options: Any) -> None:
        """One process, or as many as POSTERN_ENGINE_PROCESSES says, on the same ports."""
        others = [_start() for _ in range(settings.POSTERN.engine_processes - 1)]
        try:
            asyncio.run(_run())
        finally:
            for process in others:
                process.terminate()
                process.wait()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, sys.argv[0], "run_engine"]
    return subprocess.Popen(command, env=os.environ | {"POSTERN_ENGINE_PROCESSES": "1"})  # noqa: S603


async def _run() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await run_engine(stop)
