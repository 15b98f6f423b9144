"""Where an application stands, and where it may go from there."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """What has become of an application."""

    SUBMITTED = "submitted", "Waiting for a decision"
    APPROVED = "approved", "Approved, being set up"
    PROVISIONED = "provisioned", "Set up"
    REJECTED = "rejected", "Rejected"

    @property
    def is_final(self) -> bool:
        return not TRANSITIONS[self]


TRANSITIONS: dict[Status, set[Status]] = {
    Status.SUBMITTED: {Status.APPROVED, Status.REJECTED},
    Status.APPROVED: {Status.PROVISIONED},
    Status.PROVISIONED: set(),
    Status.REJECTED: set(),
}


class StepState(models.TextChoices):
    """How far one provisioning step has come."""

    WAITING = "waiting", "Not started"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "There is a problem"


STEP_TRANSITIONS: dict[StepState, set[StepState]] = {
    StepState.WAITING: {StepState.RUNNING},
    # A run that died leaves RUNNING behind; once its lease is over it runs again.
    StepState.RUNNING: {StepState.RUNNING, StepState.DONE, StepState.FAILED},
    StepState.FAILED: {StepState.RUNNING},
    StepState.DONE: set(),
}
