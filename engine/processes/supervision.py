"""Keeps processes running: restarts each that ends, with a back-off."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from signal import SIGKILL, SIGTERM, Signals
from typing import NoReturn, Protocol

import django.db

log = logging.getLogger(__name__)

# A process that ends sooner than this has failed to start, and is restarted after a pause.
STABLE_SECONDS = 30.0
# The longest pause before a restart. A start takes seconds itself; together a process that
# can run at all is replaced within thirty.
MAX_PAUSE_SECONDS = 15.0
# Those that a supervisor handles, and its forks until they have handlers of their own.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# From linux/prctl.h.
PR_SET_PDEATHSIG = 1


class Process(Protocol):
    """The part of subprocess.Popen that supervision uses."""

    @property
    def pid(self) -> int:
        """Returns the process id."""
        ...

    def poll(self) -> int | None:
        """Returns None while it runs, then its exit status: -N if signal N killed it."""
        ...

    def terminate(self) -> None:
        """Sends SIGTERM."""
        ...

    def kill(self) -> None:
        """Sends SIGKILL."""
        ...


class SupervisedProcess:
    """A named process that is started again by `start` whenever it has ended.

    Call check() at least once a second; it never blocks.
    """

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self.process: Process | None = None
        # How often in a row it ended within STABLE_SECONDS of its start.
        self.failures = 0
        self._start = start
        self._started_at = 0.0
        self._due_at = 0.0

    def check(self) -> int | None:
        """Starts the process if it is due. Returns its id if it has just ended."""
        status = self.status()
        ended = None if status is None else self.note_end(status)
        self.start_if_due()
        return ended

    def start_if_due(self) -> None:
        """Starts the process unless it is there, or has to wait after failures."""
        if self.process is not None or time.monotonic() < self._due_at:
            return
        self._started_at = time.monotonic()
        try:
            self.process = self._start()
        except OSError as error:
            # No memory or process ids at the moment. It is tried again, and the other
            # processes still need supervision.
            self._note_failure(f"cannot be started: {error}")

    def status(self) -> int | None:
        """Returns the exit status until the process is replaced; None while it runs."""
        return None if self.process is None else self.process.poll()

    def note_end(self, status: int) -> int | None:
        """Takes the process for ended, with this status; returns its id."""
        if self.process is None:
            return None
        pid, self.process = self.process.pid, None
        self._note_failure(f"(process {pid}) {describe_status(status)}")
        return pid

    def _note_failure(self, what: str) -> None:
        """Sets when to start it next: later with each start that failed in a row."""
        now = time.monotonic()
        was_stable = now - self._started_at >= STABLE_SECONDS
        self.failures = 0 if was_stable else self.failures + 1
        pause = 0.0 if self.failures < 2 else 2.0 ** min(self.failures - 2, 10)
        pause = min(pause, MAX_PAUSE_SECONDS)
        self._due_at = now + pause
        log.error(
            "%s %s; restarting %s%s",
            self.name,
            what,
            f"in {pause:g} seconds" if pause else "now",
            f"; it has failed to start {self.failures} times in a row, see the lines above"
            if self.failures > 1
            else "",
        )

    def is_running(self) -> bool:
        """Returns whether the process has been started and has not ended."""
        return self.process is not None and self.status() is None


def describe_status(status: int) -> str:
    """Describes for the log how a process ended."""
    if status >= 0:
        return f"exited with status {status}"
    return f"was killed by {Signals(-status).name}"


class ForkedProcess:
    """A process that runs `work` in a fork of this one, and so shares its imported modules.

    This process must have no other threads: a lock that one of them holds would never be
    released in the fork. `leads_session` puts the fork into a session of its own, so that
    Ctrl-C in the terminal does not reach it, and its children can be signalled as a group.
    """

    def __init__(
        self, work: Callable[[], object], *, leads_session: bool = False
    ) -> None:
        # If parent and child used the same connection, both would read each other's replies.
        django.db.connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        self._status: int | None = None
        # Before the fork has its own handlers, ours would swallow a signal to end.
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            self.pid = os.fork()
            if not self.pid:
                _run(work, leads_session, unblocked)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)

    def wait(self) -> int:
        """Waits for its end, and returns the exit status: -N if signal N killed it."""
        while (status := self.poll()) is None:
            time.sleep(0.02)
        return status

    def poll(self) -> int | None:
        """Returns None while it runs, then its exit status: -N if signal N killed it."""
        if self._status is None:
            try:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Other code waited for it, and has its status.
                self._status = 1
            else:
                if ended:
                    self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def terminate(self) -> None:
        """Sends SIGTERM if the process still runs."""
        self._send(SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL if the process still runs."""
        self._send(SIGKILL)

    def _send(self, number: Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _run(
    work: Callable[[], object],
    leads_session: bool,
    unblocked: set[int | signal.Signals],
) -> NoReturn:
    """Runs `work` and exits without the exit handlers that belong to the parent.

    SystemExit ends it as at the top of a program: with its status, or its message and 1.
    """
    status = 1
    try:
        if leads_session:
            os.setsid()
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        work()
        status = 0
    except SystemExit as end:
        status = _status_of(end)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        # Whatever fails here must not return into the parent's code.
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _status_of(end: SystemExit) -> int:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)  # noqa: T201
        return 1
    return end.code or 0


def end_with_parent(parent: int) -> None:
    """Has Linux kill this process as soon as its parent, which has that id, has ended."""
    library = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def stop_all(kept: list[SupervisedProcess], *, grace: float) -> None:
    """Terminates all processes, and kills those that have not ended within `grace` seconds."""
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
