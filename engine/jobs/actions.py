from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.jobs import queue
from engine.jobs.models import JobRun, RunState
from engine.registry.errors import PolicyError
from engine.registry.models import Person


@transaction.atomic
def run_again(run: JobRun, *, by: Person) -> None:
    """Run a job now that failed or was given up, with all its attempts. Raises PolicyError.

    Jobs may run twice: whatever an earlier attempt did is not done again.
    """
    run = _troubled(run)
    if run.state == RunState.RUNNING:
        raise PolicyError("This job is running now.")
    queue.again(run)
    _record("job.run_again", run, by=by)


@transaction.atomic
def dismiss(run: JobRun, *, by: Person) -> None:
    """Take a job off the list that was given up and is not wanted. Raises PolicyError."""
    run = _troubled(run)
    if run.state != RunState.GIVEN_UP:
        raise PolicyError("This job is still tried again. Nothing needs to be done.")
    _record("job.dismissed", run, by=by)
    run.delete()


def _troubled(run: JobRun) -> JobRun:
    found = JobRun.objects.troubled().select_for_update().filter(pk=run.pk).first()
    if found is None:
        raise PolicyError("This job has ended well meanwhile.")
    return found


def _record(event: str, run: JobRun, *, by: Person) -> None:
    detail = {"job": run.func, "arguments": run.arguments, "error": run.error}
    record(event, run, detail=detail, by=by)
