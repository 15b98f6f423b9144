"""Ends a job that runs too long, whatever it hangs in."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Seconds that one job has. What takes longer is done in slices.
SECONDS = 300
# More for a job that does not hear the exception: then its process ends, and is replaced.
GRACE = 30
RENEW_EVERY = 8.0


class JobTimeout(BaseException):
    """The job ran longer than it may. No job's own `except Exception` hears it."""


@contextmanager
def time_limit(seconds: int = SECONDS) -> Iterator[None]:
    """Raise JobTimeout in the main thread after so many seconds.

    The exception is only heard between two instructions of Python. For code that never
    comes back to one, the kernel ends the process once it has burnt as much time, and a
    watch in watched() otherwise.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise JobTimeout(f"It ran for more than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, stop)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    burnt = int(used.ru_utime + used.ru_stime) + seconds + GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (burnt, hard))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


@contextmanager
def watched(renew: Callable[[], None], seconds: int = SECONDS) -> Iterator[None]:
    """Call `renew` in a thread again and again; end the process that hangs for good."""
    is_over = threading.Event()

    def watch() -> None:
        for _ in range(int((seconds + GRACE) / RENEW_EVERY)):
            if is_over.wait(RENEW_EVERY):
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
