from __future__ import annotations

from django.db import models

from engine.registry.models import Person
from onboarding.models.application import Application


class Question(models.Model):
    """Something an officer asked the applicant, and what the applicant said."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="questions"
    )
    text = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:80]
