"""Does long work in small batches, so that other transactions are not held up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

Row = TypeVar("Row")
log = logging.getLogger(__name__)

# How long one job works, well within a job's time limit (`engine.jobs.time_limit`). The next
# run of the schedule does the rest.
JOB_SECONDS = 120.0


def run(batch: Callable[[], int]) -> int:
    """Calls `batch`, one transaction, until it returns 0 or the time is up.

    Returns the sum of what it returned: how many rows were processed. Between two batches
    other transactions can write: SQLite has a single writer, and on PostgreSQL the locks
    of a batch are released.
    """
    deadline, done = time.monotonic() + JOB_SECONDS, 0
    while (count := batch()) and time.monotonic() < deadline:
        done += count
    return done + count


def for_each(rows: Iterable[Row], work: Callable[[Row], object]) -> int:
    """Calls `work` for each row, outside a transaction, and returns the number of rows.

    An exception for one row does not stop the others. The first is raised when all have
    been tried, so that the job fails, is shown to the operators and is retried.
    """
    count, first_error = 0, None
    for row in rows:
        count += 1
        try:
            work(row)
        except Exception as error:
            log.exception("processing %r failed", row)
            first_error = first_error or error
    if first_error is not None:
        raise first_error
    return count
