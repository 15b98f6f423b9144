"""Long work beside everything else: in slices, each a transaction, for so long at most."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

Row = TypeVar("Row")
log = logging.getLogger(__name__)

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


def for_each(rows: Iterable[Row], work: Callable[[Row], object]) -> int:
    """Call `work` for each row, outside a transaction; returns how many rows there were.

    One row's fault stops no other: the first is raised after all were tried, so that
    the job has failed, is shown to the operators, and is tried again.
    """
    count, first = 0, None
    for row in rows:
        count += 1
        try:
            work(row)
        except Exception as fault:
            log.exception("%r could not be dealt with", row)
            first = first or fault
    if first is not None:
        raise first
    return count
