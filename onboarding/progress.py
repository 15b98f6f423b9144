"""How far an application has come, in the words of a progress page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from onboarding.models import Application, ProvisioningStep
from onboarding.provisioning_steps import TITLES
from onboarding.status import Status, StepState


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the progress page. `tag` is GOV.UK's colour, empty for plain text."""

    title: str
    state: str
    tag: str = ""
    at: datetime | None = None


# An applicant can do nothing about a failed step, and staff see it: it is under way.
_STATES = {
    StepState.WAITING: ("Not started", "govuk-tag--grey"),
    StepState.RUNNING: ("In progress", "govuk-tag--light-blue"),
    StepState.FAILED: ("In progress", "govuk-tag--light-blue"),
    StepState.DONE: ("Done", ""),
}


def stages(application: Application) -> list[Stage]:
    """Submitted, decided, and each step of setting up, in order."""
    submitted = Stage("Application received", "Done", at=application.submitted_at)
    steps = [_stage(row) for row in application.steps.all()]
    return [submitted, _decision(application), *steps]


def _decision(application: Application) -> Stage:
    if application.status == Status.SUBMITTED:
        return Stage("Decision", "In progress", "govuk-tag--light-blue")
    rejected = application.status == Status.REJECTED
    state, tag = ("Rejected", "govuk-tag--red") if rejected else ("Approved", "")
    return Stage("Decision", state, tag, application.decided_at)


def _stage(row: ProvisioningStep) -> Stage:
    state, tag = _STATES[StepState(row.state)]
    done_at = row.finished_at if row.state == StepState.DONE else None
    return Stage(TITLES.get(row.key, row.key), state, tag, done_at)
