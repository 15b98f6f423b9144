"""Loaded by each process of a host: moves its clock by what a file says, at any time.

The clock of Python is moved, not that of the system: every time that Postern reads, waits
excepted, as on a host whose clock was set. Linux has no time namespace for it, and Debian
12's libfaketime (0.9.10) breaks Python's sleep when it is to leave waits alone.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

LOOK_EVERY = 0.5
# The true time, also in a child whose parent's clock was moved.
now = time_machine.escape_hatch.datetime.datetime.now
FILE = Path(os.environ["POSTERN_SOAK_CLOCK"])


def follow() -> None:
    """Look at the file again and again; it holds seconds, or nothing while it is written."""
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
# A thread does not live on in a child that was forked, as django-q2's are.
os.register_at_fork(after_in_child=start)
