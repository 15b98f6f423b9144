"""Ends a job that runs too long, whatever it hangs in: a time limit and a watchdog."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Longer work is divided into slices (engine.database.batches).
SECONDS = 300
# A job that does not end by the exception within so many more seconds is stuck outside of
# Python: then its process ends, and the supervisor starts another.
GRACE = 30
RENEW_SECONDS = 8.0


class JobTimeout(BaseException):
    """The job ran too long.

    A BaseException, so that `except Exception` within a job does not catch it.
    """


@contextmanager
def time_limit(seconds: int = SECONDS) -> Iterator[None]:
    """Raises JobTimeout in the main thread after so many seconds.

    Python runs signal handlers between two of its instructions only. Code in C that never
    returns is ended by the kernel if it uses the processor (RLIMIT_CPU), and by
    `watchdog` if it waits.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise JobTimeout(f"It ran for more than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, stop)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    # The limit is on the whole life of the process, which has run other jobs before.
    cpu_limit = int(used.ru_utime + used.ru_stime) + seconds + GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit, hard))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


@contextmanager
def watchdog(renew: Callable[[], None], seconds: int = SECONDS) -> Iterator[None]:
    """Calls `renew` in a thread every few seconds, and ends the process if it hangs."""
    is_over = threading.Event()

    def watch() -> None:
        for _ in range(int((seconds + GRACE) / RENEW_SECONDS)):
            if is_over.wait(RENEW_SECONDS):
                return
            renew()
        os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
