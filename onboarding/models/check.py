from __future__ import annotations

from django.db import models

from onboarding.models.application import Application


class CheckKey(models.TextChoices):
    """What is looked up about an applicant's mail."""

    MX = "mx", "Where mail for the domain goes (MX)"
    SPF = "spf", "Who may send for the domain (SPF)"
    DMARC = "dmarc", "What the domain asks of forged mail (DMARC)"
    TLS = "tls", "Encryption of the server that receives (STARTTLS)"


class CheckState(models.TextChoices):
    RUNNING = "running", "In progress"
    DONE = "done", "Done"


class Check(models.Model):
    """One thing that was looked up outside, and what was found.

    `is_doubt` asks the officer to look closer.
    """

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="checks"
    )
    key = models.CharField(max_length=10, choices=CheckKey.choices)
    state = models.CharField(
        max_length=10, choices=CheckState.choices, default=CheckState.RUNNING
    )
    found = models.TextField(blank=True)
    facts = models.JSONField(default=dict, blank=True)
    is_doubt = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["application", "key"], name="check_once")
        ]

    def __str__(self) -> str:
        return self.get_key_display()
