"""Where an application stands, and where it may go from there."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """What has become of an application."""

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
    # Back to the desk where it cannot be set up as it was approved.
    Status.APPROVED: {Status.PROVISIONED, Status.SUBMITTED},
    Status.PROVISIONED: set(),
    Status.REJECTED: set(),
    Status.WITHDRAWN: set(),
}
# Sent in, and neither decided nor withdrawn.
OPEN = (Status.SUBMITTED, Status.QUERIED, Status.RECOMMENDED)
# Somebody at the desk must decide next.
TO_DECIDE = (Status.SUBMITTED, Status.RECOMMENDED)
DECIDED = (Status.APPROVED, Status.PROVISIONED, Status.REJECTED)


class StepState(models.TextChoices):
    """How far one provisioning step has come."""

    WAITING = "waiting", "Not started"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "There is a problem"
