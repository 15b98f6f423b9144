"""Several programs run as one: they start together, and all stop when one does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

# Seconds that each has to finish what it is doing.
GRACE = 15.0
LOOK_EVERY = 0.1


class Supervisor:
    """Runs commands until SIGINT, SIGTERM or the end of one of them."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
    ) -> None:
        self._commands = commands
        self._is_ready = is_ready
        self._on_ready = on_ready
        self._asked_to_stop = False
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> str:
        """Returns the name of the program that ended by itself; empty when asked to."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            self._start()
            return self._watch()
        finally:
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _start(self) -> None:
        for name, command in self._commands.items():
            # A session of its own: Ctrl-C in the terminal reaches us alone, and each
            # program's children can be ended with it.
            self.processes[name] = subprocess.Popen(command, start_new_session=True)  # noqa: S603

    def _watch(self) -> str:
        is_announced = False
        while not self._asked_to_stop:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    return name
            if not is_announced and self._is_ready():
                is_announced = True
                self._on_ready()
            time.sleep(LOOK_EVERY)
        return ""

    def _end(self) -> None:
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self.processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever the program, or what it started, left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
