"""Several programs run as one: they start together, and each that dies is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FrameType

from engine.supervision import Kept, end_all

# Seconds that each has to finish what it is doing.
GRACE = 15.0
LOOK_EVERY = 0.1


class Supervisor:
    """Runs commands until SIGINT or SIGTERM, starting again whichever ends.

    Before all are ready, one that ends without a signal ends the whole: it says why (a
    port that is taken, a setting that is missing), and would say so again and again.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
    ) -> None:
        self._is_ready = is_ready
        self._on_ready = on_ready
        self._asked_to_stop = False
        self.kept = {
            name: Kept(name, partial(_start, command))
            for name, command in commands.items()
        }
        # Groups whose first process has died, and when what is left of them must go.
        self._left_over: dict[int, float] = {}

    def run(self) -> str:
        """Returns the name of the program that could not start; empty when asked to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
                ended = one.status()
                if not is_announced and ended is not None and ended >= 0:
                    return name
                if (pid := one.look()) is not None:
                    self._leave(pid)
            self._end_left_over()
            if not is_announced and self._is_ready():
                is_announced = True
                self._on_ready()
            time.sleep(LOOK_EVERY)
        return ""

    def _leave(self, group: int) -> None:
        """Ask what the program had started to end: it finishes what it is doing."""
        _signal_group(group, signal.SIGTERM)
        self._left_over[group] = time.monotonic() + GRACE

    def _end_left_over(self) -> None:
        now = time.monotonic()
        for group in [one for one, end_at in self._left_over.items() if end_at < now]:
            _signal_group(group, signal.SIGKILL)
            del self._left_over[group]

    def _end(self) -> None:
        groups = [one.process.pid for one in self.kept.values() if one.process]
        end_all(list(self.kept.values()), grace=GRACE)
        for group in (*groups, *self._left_over):
            _signal_group(group, signal.SIGKILL)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches us alone, and each program's
    # children can be ended with it.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
