"""Long work beside everything else: in slices, each a transaction, for so long at most."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds of one job, well within what a job may take (`engine.jobs.limits`); what is
# left is done by the next.
SECONDS = 120.0


def work(slice_of_work: Callable[[], int]) -> int:
    """Call it until it says that it did nothing, or time is over; return the sum.

    Between two slices others have the database: SQLite has one writer, and locks on
    PostgreSQL are held for one slice only.
    """
    ends, done = time.monotonic() + SECONDS, 0
    while (some := slice_of_work()) and time.monotonic() < ends:
        done += some
    return done + some
