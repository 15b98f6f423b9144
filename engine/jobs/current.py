"""Which job is running here, so that what it does is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

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


def committed(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Mark a job whose work is committed together with the note that it is done.

    For work that is nothing but rows: then it happens once, and not at least once. A
    job that scans or dials must not hold a transaction meanwhile.
    """
    vars(work)["is_committed"] = True
    return work


def is_committed(work: Callable[..., Any]) -> bool:
    return bool(vars(work).get("is_committed"))
