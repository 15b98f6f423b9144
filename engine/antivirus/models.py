from __future__ import annotations

from django.db import models


class QuarantinedMessage(models.Model):
    """A copy of an infected message, kept for the operator and delivered to nobody."""

    reference = models.CharField(max_length=32, unique=True)
    at = models.DateTimeField(auto_now_add=True)
    signature = models.CharField(max_length=200, help_text="what the scanner found")
    scanner = models.CharField(max_length=40)
    sender = models.CharField(max_length=254, blank=True)
    recipients = models.JSONField(default=list)
    organisation_id = models.BigIntegerField(null=True, db_index=True)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the whole message")
    path = models.CharField(max_length=120, help_text="under the quarantine folder")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.signature} from {self.sender or 'unknown'}"
