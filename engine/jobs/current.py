"""Which job is running here, so that what it sends is sent once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_job_id: ContextVar[str] = ContextVar("job_id", default="")


@contextmanager
def running(job_id: str) -> Iterator[None]:
    token = _job_id.set(job_id)
    try:
        yield
    finally:
        _job_id.reset(token)


def key(what: str) -> str:
    """The same each time the same job is run, for `what` it does once; empty outside.

    A job may run twice: its process can die between what it did and the note of it.
    """
    job_id = _job_id.get()
    return f"{job_id}:{what}" if job_id else ""
