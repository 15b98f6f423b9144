"""Keeps processes running: each that ends is started again, with a back-off."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from signal import SIGKILL, SIGTERM, Signals
from typing import NoReturn, Protocol

import django.db

log = logging.getLogger(__name__)

# Seconds: one that ends sooner has hardly started, and is not started again immediately.
SETTLED = 30.0
# The longest pause between an end and the next start. With the seconds that a start
# takes, a process that can run at all is replaced within thirty.
LONGEST_PAUSE = 15.0


class Process(Protocol):
    """What is asked of a process; subprocess.Popen is one."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """None while it runs; afterwards its status, negative where a signal ended it."""
        ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Kept:
    """A process by name, started by `start` whenever it is not running.

    look() is to be called every second or oftener; it never blocks.
    """

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self.process: Process | None = None
        # How often in a row it ended within SETTLED seconds of its start.
        self.failures = 0
        self._start = start
        self._started_at = 0.0
        self._due_at = 0.0

    def look(self) -> int | None:
        """Start it where it is due. Returns the id of a process that has just ended."""
        ended = None
        if self.process is not None and (status := self.status()) is not None:
            ended = self.process.pid
            self._note_end(ended, status)
        if self.process is None and time.monotonic() >= self._due_at:
            self._begin()
        return ended

    def _begin(self) -> None:
        self._started_at = time.monotonic()
        try:
            self.process = self._start()
        except OSError as error:
            # Out of memory or of processes, for now: the others must be looked after.
            self._note_failure(f"cannot be started: {error}")

    def status(self) -> int | None:
        """How the process ended, until look() replaces it; None while it runs."""
        return None if self.process is None else self.process.poll()

    def _note_end(self, pid: int, status: int) -> None:
        self.process = None
        self._note_failure(f"(process {pid}) {said(status)}")

    def _note_failure(self, what: str) -> None:
        """Set when it is started next, the later the oftener it has hardly started."""
        now = time.monotonic()
        has_settled = now - self._started_at >= SETTLED
        self.failures = 0 if has_settled else self.failures + 1
        pause = 0.0 if self.failures < 2 else 2.0 ** min(self.failures - 2, 10)
        pause = min(pause, LONGEST_PAUSE)
        self._due_at = now + pause
        log.error(
            "%s %s; it is started again %s%s",
            self.name,
            what,
            f"in {pause:g} seconds" if pause else "now",
            f", having ended {self.failures} times right after its start: "
            "the lines above may say why"
            if self.failures > 1
            else "",
        )

    def is_running(self) -> bool:
        return self.process is not None and self.status() is None


def said(status: int) -> str:
    """How a process ended, for the log."""
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {Signals(-status).name}"


class Forked:
    """A process that runs `work` in a copy of this one, whose imports it shares.

    This process must have no threads: a copy of a lock that another thread holds is
    never released.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        # A connection used by both ends in neither being understood.
        django.db.connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        self._status: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _run(work)

    def poll(self) -> int | None:
        if self._status is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def terminate(self) -> None:
        self._send(SIGTERM)

    def kill(self) -> None:
        self._send(SIGKILL)

    def _send(self, signal: Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal)


def _run(work: Callable[[], None]) -> NoReturn:
    """Without what the copied process would do at its end."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def end_all(kept: list[Kept], *, grace: float) -> None:
    """Ask those that run to end; end by force what has not within `grace` seconds."""
    running = [one.process for one in kept if one.process is not None]
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(one.poll() is None for one in running):
        time.sleep(0.05)
    for process in running:
        if process.poll() is None:
            process.kill()
    while any(one.poll() is None for one in running):
        time.sleep(0.01)
