"""Moves the clock of each process of a host by the number of seconds in a file.

Python loads this module at startup. It moves every time that Postern reads, except
waits, as on a host whose clock was set; the system's own clock is not touched. Linux
has no time namespace for the wall clock, and libfaketime 0.9.10 in Debian 12 breaks
time.sleep() when it leaves waits alone.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

LOOK_EVERY = 0.5
# The true time, also in the child of a process whose clock was moved.
now = time_machine.escape_hatch.datetime.datetime.now
FILE = Path(os.environ["POSTERN_SOAK_CLOCK"])


def follow() -> None:
    """Polls the file: it holds seconds, or nothing while it is being written."""
    moved_by, travel = 0.0, None
    while True:
        by = float(FILE.read_text() or moved_by) if FILE.exists() else 0.0
        if by != moved_by:
            if travel is not None:
                travel.stop()
                travel = None
            if by:
                there = datetime.now(UTC) + timedelta(seconds=by)
                travel = time_machine.travel(there, tick=True)
                travel.start()
            moved_by = by
        time.sleep(LOOK_EVERY)


def start() -> None:
    threading.Thread(target=follow, name="clock", daemon=True).start()


start()
# Threads do not survive a fork, as in django-q2's children.
os.register_at_fork(after_in_child=start)
