"""The state of each provisioning step of an application."""

from __future__ import annotations

from django.db import models

from onboarding.models.application import Application
from onboarding.status import StepState


class ProvisioningStep(models.Model):
    """One step of provisioning an organisation, and its state."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="steps"
    )
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40)
    state = models.CharField(
        max_length=10, choices=StepState.choices, default=StepState.WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(
        max_length=300, blank=True, help_text="why the last attempt failed, for staff"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "key"], name="provisioning_step_once"
            )
        ]

    def __str__(self) -> str:
        return self.key
