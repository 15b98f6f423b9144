"""Runs the provisioning steps of an approved application, resumable after a crash.

Each step first looks whether its work is done already, so that running it again after a
crash at any moment is harmless. A step's work and its state are committed together.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from engine.audit.record import record
from engine.database import clock
from onboarding.models import Application, ProvisioningStep
from onboarding.provisioning.steps import STEPS, Step
from onboarding.status import Status, StepState

# Longer than the job timeout (Q_CLUSTER), so the worker that held a step is gone.
LEASE = timedelta(minutes=6)
# After this many failed attempts of a step, only an officer can retry it.
MAX_ATTEMPTS = 10
log = logging.getLogger(__name__)


def plan(application: Application) -> None:
    """Creates the rows of the steps that this application needs."""
    ProvisioningStep.objects.bulk_create(
        ProvisioningStep(application=application, key=step.key, position=position)
        for position, step in enumerate(STEPS)
        if step.applies(application)
    )


def run(application_id: int, steps: Sequence[Step] = STEPS) -> None:
    """Runs the remaining steps in order, then marks the application as provisioned.

    Returns early if another runner holds a step, or a step has failed too often. Records
    the exception of a failed step and raises it again.
    """
    application = Application.objects.get(pk=application_id)
    if application.status != Status.APPROVED:
        return
    by_key = {step.key: step for step in steps}
    for row in application.steps.exclude(state=StepState.DONE):
        if not _claim(row):
            return
        _attempt(row, by_key[row.key], application)
    _finish(application)


def reset_attempts(application: Application) -> None:
    """Allows steps that failed too often to run again."""
    left = application.steps.exclude(state=StepState.DONE)
    left.filter(attempts__gte=MAX_ATTEMPTS).update(attempts=0)


def is_stalled(application: Application) -> bool:
    """True if steps are left and no runner holds one."""
    running = application.steps.filter(state=StepState.RUNNING)
    held = running.filter(started_at__gt=clock.now() - LEASE).exists()
    return application.status == Status.APPROVED and not held


def needs_officer(application: Application) -> bool:
    """True if a step has failed so often that only an officer can retry it."""
    left = application.steps.exclude(state=StepState.DONE)
    return left.filter(attempts__gte=MAX_ATTEMPTS).exists()


def _claim(row: ProvisioningStep) -> bool:
    """Claims a step by a conditional UPDATE, so of two runners only one gets it."""
    now = clock.now()
    is_free = Q(state__in=[StepState.WAITING, StepState.FAILED])
    is_free |= Q(state=StepState.RUNNING, started_at__lte=now - LEASE)
    may_try = Q(pk=row.pk, attempts__lt=MAX_ATTEMPTS)
    claimed = ProvisioningStep.objects.filter(is_free, may_try).update(
        state=StepState.RUNNING, started_at=now, attempts=F("attempts") + 1
    )
    return bool(claimed)


def _attempt(row: ProvisioningStep, step: Step, application: Application) -> None:
    try:
        if not step.is_atomic:
            step.run(application)
        with transaction.atomic():
            if step.is_atomic:
                step.run(application)
            _close(row, StepState.DONE)
    except Exception as error:
        # The transaction was rolled back, but the object still has its values.
        application.refresh_from_db()
        _close(row, StepState.FAILED, problem=f"{type(error).__name__}: {error}"[:300])
        log.warning("Step %s of %s failed", row.key, application.reference)
        raise


def _close(row: ProvisioningStep, state: StepState, *, problem: str = "") -> None:
    ProvisioningStep.objects.filter(pk=row.pk).update(
        state=state, finished_at=clock.now(), problem=problem
    )


@transaction.atomic
def _finish(application: Application) -> None:
    moved = Application.objects.unfinished().filter(pk=application.pk)
    if moved.update(status=Status.PROVISIONED):
        record(
            "application.provisioned",
            application,
            organisation_key=application.organisation_id,
            by=None,
        )
