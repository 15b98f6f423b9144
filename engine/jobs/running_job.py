"""The job that this process is running, by which repeated work is recognised."""

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
    """Marks the code in the block as part of that job."""
    token = _job_id.set(job_id)
    try:
        yield
    finally:
        _job_id.reset(token)


def idempotency_key(what: str) -> str:
    """Returns a key that is the same in each run of the current job; "" outside of jobs.

    `what` names the step within the job. A job may run twice, because its process can
    die after the work and before the outcome is recorded.
    """
    job_id = _job_id.get()
    return f"{job_id}:{what}" if job_id else ""


def committed(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorates a job whose work is committed in one transaction with its outcome.

    For jobs that only write rows: they run exactly once instead of at least once. A job
    that scans or connects to a server must not, as it would hold locks meanwhile.
    """
    vars(work)["is_committed"] = True
    return work


def is_committed(work: Callable[..., Any]) -> bool:
    """Whether a job was decorated with `committed`."""
    return bool(vars(work).get("is_committed"))
