"""The states of an application and of a provisioning step, and the allowed transitions."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """The state of an application."""

    DRAFT = "draft", "Being filled in"
    SUBMITTED = "submitted", "Waiting for a decision"
    QUERIED = "queried", "Waiting for the applicant"
    RECOMMENDED = "recommended", "Waiting for a second officer"
    APPROVED = "approved", "Approved, being set up"
    PROVISIONED = "provisioned", "Set up"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


TRANSITIONS: dict[Status, set[Status]] = {
    Status.DRAFT: {Status.SUBMITTED, Status.WITHDRAWN},
    Status.SUBMITTED: {
        Status.QUERIED,
        Status.RECOMMENDED,
        Status.APPROVED,
        Status.REJECTED,
        Status.WITHDRAWN,
    },
    Status.QUERIED: {Status.SUBMITTED, Status.REJECTED, Status.WITHDRAWN},
    Status.RECOMMENDED: {
        Status.QUERIED,
        Status.APPROVED,
        Status.REJECTED,
        Status.WITHDRAWN,
    },
    # Back to vetting if it cannot be provisioned as approved.
    Status.APPROVED: {Status.PROVISIONED, Status.SUBMITTED},
    Status.PROVISIONED: set(),
    Status.REJECTED: set(),
    Status.WITHDRAWN: set(),
}
# Submitted, and neither decided nor withdrawn.
OPEN = (Status.SUBMITTED, Status.QUERIED, Status.RECOMMENDED)
# The next move is an officer's decision.
TO_DECIDE = (Status.SUBMITTED, Status.RECOMMENDED)
DECIDED = (Status.APPROVED, Status.PROVISIONED, Status.REJECTED)


class StepState(models.TextChoices):
    """The state of a provisioning step."""

    WAITING = "waiting", "Not started"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "There is a problem"
