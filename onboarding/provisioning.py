"""Setting an approved organisation up, step by step.

Each step first looks whether its work is there already, so running again after a crash
at any moment does no harm. A step's work and its state are committed together.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from engine import clock
from engine.audit.record import record
from engine.registry.models import Person, RoleName
from onboarding import welcome
from onboarding.models import Application, Letter, ProvisioningStep
from onboarding.provisioning_steps import STEPS, Step
from onboarding.status import Status, StepState

# Longer than a job may run (Q_CLUSTER timeout): whoever held a step is dead by then.
LEASE = timedelta(minutes=6)
# After this many failed attempts of a step, only an officer's button tries again.
MAX_ATTEMPTS = 10
log = logging.getLogger(__name__)


def plan(application: Application) -> None:
    """Write down which steps this application needs."""
    ProvisioningStep.objects.bulk_create(
        ProvisioningStep(application=application, key=step.key, position=position)
        for position, step in enumerate(STEPS)
        if step.applies(application)
    )


def run(application_id: int, steps: Sequence[Step] = STEPS) -> None:
    """Do what is left to do, in order.

    Returns early when another runner holds a step, or one has failed too often. Raises
    what a step raised, after writing it down.
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


def allow_again(application: Application) -> None:
    """Have steps that failed too often tried again, as if for the first time."""
    left = application.steps.exclude(state=StepState.DONE)
    left.filter(attempts__gte=MAX_ATTEMPTS).update(attempts=0)


def write_letter_again(letter_id: int) -> None:
    """Write a letter that somebody asked for, and say that it is there."""
    letter = Letter.objects.select_related("application").get(pk=letter_id)
    if letter.file_name is not None or letter.purged_at is not None:
        return
    administrators = Person.objects.filter(
        organisation_roles__organisation=letter.organisation,
        organisation_roles__role=RoleName.ADMINISTRATOR,
        is_active=True,
    )
    addresses = [person.everyday_address for person in administrators]
    welcome.write(letter, tell=[address for address in addresses if address])


def unwritten_letters() -> list[int]:
    """Letters of organisations that are set up, which a job that died left unwritten."""
    left = Letter.objects.unwritten().filter(
        application__status=Status.PROVISIONED,
        created_at__lt=clock.now() - LEASE,
    )
    return list(left.values_list("pk", flat=True))


def is_stalled(application: Application) -> bool:
    """True where something is left to do and nobody is doing it."""
    running = application.steps.filter(state=StepState.RUNNING)
    held = running.filter(started_at__gt=clock.now() - LEASE).exists()
    return application.status == Status.APPROVED and not held


def waits_for_an_officer(application: Application) -> bool:
    """True where a step has failed so often that only the officer's button helps."""
    left = application.steps.exclude(state=StepState.DONE)
    return left.filter(attempts__gte=MAX_ATTEMPTS).exists()


def _claim(row: ProvisioningStep) -> bool:
    """Take the step by conditional UPDATE; two runners are harmless."""
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
        # What was set on the object in the undone transaction must not live on.
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
