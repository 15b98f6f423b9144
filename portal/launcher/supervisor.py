"""Runs several programs as one: starts them together and replaces any that dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from engine.processes.supervision import (
    ENDING,
    Process,
    SupervisedProcess,
    stop_all,
)

# Seconds that each program has to finish its work.
GRACE = 15.0
LOOK_EVERY = 0.1
# As a signal it only tries whether there is a process (kill(2)).
NOTHING = 0
# Of Linux; other systems may have none.
PROCESSES = Path("/proc")


class Supervisor:
    """Runs programs until SIGINT, SIGTERM or SIGHUP, and restarts any that ends.

    `programs` holds by name what starts each, in a session of its own; `needed` those that
    the others need, which start before them and end after them. A program that exits before
    all are ready stops the whole: it has printed the reason (a port in use, a missing
    setting), and restarting it would only repeat that.

    One that is killed is replaced once the processes that it had started have ended. Their
    heartbeats would otherwise be later than the start of what replaces them.
    """

    def __init__(
        self,
        programs: Mapping[str, Callable[[], Process]],
        *,
        needed: Mapping[str, Callable[[], Process]] | None = None,
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
    ) -> None:
        self._is_ready = is_ready
        self._on_ready = on_ready
        self._asked_to_stop = False
        self._needed = [SupervisedProcess(*one) for one in (needed or {}).items()]
        self._programs = [SupervisedProcess(*one) for one in programs.items()]
        self.kept = {one.name: one for one in (*self._needed, *self._programs)}
        # By program: the process group whose leader has died, and when the rest is killed.
        self._orphans: dict[str, tuple[int, float]] = {}

    def run(self) -> str:
        """Runs until stopped. Returns the program that could not start, or ""."""
        for number in ENDING:
            signal.signal(number, self._stop)
        try:
            return self._watch()
        finally:
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _watch(self) -> str:
        is_announced = False
        while not self._asked_to_stop:
            for name, one in self.kept.items():
                # Once: it may die between two looks.
                status = one.status()
                if not is_announced and status is not None and status >= 0:
                    return name
                if status is not None and (pid := one.note_end(status)) is not None:
                    self._end_orphans_of(name, pid)
                if not self._has_orphans(name):
                    one.start_if_due()
            if not is_announced and self._is_ready():
                is_announced = True
                self._on_ready()
            time.sleep(LOOK_EVERY)
        return ""

    def _end_orphans_of(self, name: str, group: int) -> None:
        """Asks the children of a dead program to end, and lets them finish their work."""
        if _signal_group(group, signal.SIGTERM):
            self._orphans[name] = group, time.monotonic() + GRACE

    def _has_orphans(self, name: str) -> bool:
        """Whether children of a dead program still run. Kills those that were to end."""
        if name not in self._orphans:
            return False
        group, end_at = self._orphans[name]
        _reap(group)
        is_late = time.monotonic() > end_at
        if is_late:
            _signal_group(group, signal.SIGKILL)
        elif _signal_group(group, NOTHING) and _runs(group):
            return True
        del self._orphans[name]
        return False

    def _end(self) -> None:
        groups = [one.process.pid for one in self.kept.values() if one.process]
        stop_all(self._programs, grace=GRACE)
        stop_all(self._needed, grace=GRACE)
        for group in (*groups, *(group for group, _ in self._orphans.values())):
            _signal_group(group, signal.SIGKILL)


def _reap(group: int) -> None:
    """Waits for those of a group that have ended and are ours.

    They are where we are process 1, which gets what loses its parent.
    """
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass


def _runs(group: int) -> bool:
    """Whether a process of a group that is there runs.

    One that has ended stays in the group until somebody waits for it (proc(5): state Z).
    """
    if not PROCESSES.exists():
        return True
    for process in PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may contain anything: state, parent, group.
            state, _, its_group = process.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _signal_group(group: int, number: int) -> bool:
    """Sends the signal; returns False if no process of the group is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
