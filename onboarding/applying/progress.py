"""Lists the stages of an application for its progress page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from onboarding.models import (
    Application,
    ProvisioningStep,
    SponsorshipStatus,
)
from onboarding.provisioning.steps import TITLES
from onboarding.status import Status, StepState


@dataclass(frozen=True, slots=True)
class Stage:
    """A line of the progress page. `tag` is a GOV.UK tag class, empty for plain text."""

    title: str
    state: str
    tag: str = ""
    at: datetime | None = None


GOING = "govuk-tag--light-blue"
# Applicants cannot do anything about a failed step, and staff can see it and retry.
_STATES = {
    StepState.WAITING: ("Not started", "govuk-tag--grey"),
    StepState.RUNNING: ("In progress", GOING),
    StepState.FAILED: ("In progress", GOING),
    StepState.DONE: ("Done", ""),
}
_DECISIONS = {
    Status.SUBMITTED: ("In progress", GOING),
    Status.RECOMMENDED: ("In progress", GOING),
    Status.QUERIED: ("Waiting for you", "govuk-tag--yellow"),
    Status.REJECTED: ("Rejected", "govuk-tag--red"),
    Status.WITHDRAWN: ("Withdrawn", "govuk-tag--grey"),
}


def stages(application: Application) -> list[Stage]:
    """Returns receipt, sponsor, terms, decision and provisioning steps, in that order."""
    submitted = Stage("Application received", "Done", at=application.submitted_at)
    steps = [_stage(row) for row in application.steps.all()]
    return [
        submitted,
        *_sponsor(application),
        *_terms(application),
        _decision(application),
        *steps,
    ]


def awaited(application: Application) -> list[str]:
    """Returns the names of the sponsor and signatory who have not answered yet."""
    asked = application.sponsorships.filter(status=SponsorshipStatus.ASKED)
    unsigned = application.signatures.filter(signed_at=None)
    return [one.name for one in asked] + [one.name for one in unsigned]


def _sponsor(application: Application) -> list[Stage]:
    asked = application.sponsorships.first()
    if asked is None:
        return []
    title = f"Sponsor: {asked.name}"
    if asked.status == SponsorshipStatus.CONFIRMED:
        return [Stage(title, "Confirmed", at=asked.answered_at)]
    if asked.status == SponsorshipStatus.DECLINED:
        return [Stage(title, "Declined", "govuk-tag--red", asked.answered_at)]
    return [Stage(title, "Waiting", GOING, asked.asked_at)]


def _terms(application: Application) -> list[Stage]:
    signature = application.signatures.first()
    if signature is None:
        return []
    title = f"Terms: {signature.name}"
    if signature.signed_at is None:
        return [Stage(title, "Waiting", GOING, signature.asked_at)]
    return [Stage(title, "Signed", at=signature.signed_at)]


def _decision(application: Application) -> Stage:
    status = Status(application.status)
    state, tag = _DECISIONS.get(status, ("Approved", ""))
    return Stage("Decision", state, tag, application.decided_at)


def _stage(row: ProvisioningStep) -> Stage:
    state, tag = _STATES[StepState(row.state)]
    done_at = row.finished_at if row.state == StepState.DONE else None
    return Stage(TITLES.get(row.key, row.key), state, tag, done_at)
