"""What operators do with jobs that failed: run them again, or dismiss them."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.jobs import queue
from engine.jobs.models import JobRun, RunState
from engine.registry.errors import PolicyError
from engine.registry.models import Person


@transaction.atomic
def run_again(run: JobRun, *, by: Person) -> None:
    """Runs a failed or given-up job now, with all of its attempts. Raises PolicyError.

    That is safe, as jobs are idempotent: what an earlier attempt did is not repeated.
    """
    run = _troubled(run)
    if run.state == RunState.RUNNING:
        raise PolicyError("This job is running now.")
    queue.requeue(run)
    _record("job.run_again", run, by=by)


@transaction.atomic
def dismiss(run: JobRun, *, by: Person) -> None:
    """Deletes a job that was given up and is no longer wanted. Raises PolicyError."""
    run = _troubled(run)
    if run.state != RunState.GIVEN_UP:
        raise PolicyError(
            "This job is still retried automatically, so it cannot be dismissed."
        )
    _record("job.dismissed", run, by=by)
    run.delete()


def _troubled(run: JobRun) -> JobRun:
    found = JobRun.objects.troubled().select_for_update().filter(pk=run.pk).first()
    if found is None:
        raise PolicyError(
            "This job has succeeded in the meantime. Nothing needs to be done."
        )
    return found


def _record(event: str, run: JobRun, *, by: Person) -> None:
    detail = {"job": run.func, "arguments": run.arguments, "error": run.error}
    record(event, run, detail=detail, by=by)
