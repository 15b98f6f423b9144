"""Jobs for tests. They append what they did to the file that MARKS names."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.jobs import running_job
from engine.jobs.time_limit import JobTimeout

MARKS = "POSTERN_TEST_MARKS"


class Fault(Exception):
    """Raised by jobs that fail."""


def mark(text: str) -> None:
    with Path(os.environ[MARKS]).open("a") as file:
        file.write(f"{text}\n")


def fail() -> None:
    raise Fault("The scanner is away.")


def note_key() -> None:
    mark(running_job.idempotency_key("letter"))


def sleep(seconds: float) -> None:
    mark("asleep")
    time.sleep(seconds)
    mark("awake")


def hang() -> None:
    """Hangs in a handler that catches every ordinary exception."""
    try:
        time.sleep(600)
    except Exception:  # noqa: BLE001
        mark("hidden")


def end_by_timeout() -> None:
    raise JobTimeout("It ran for too long.")
