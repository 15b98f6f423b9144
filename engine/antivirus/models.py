"""The antivirus tables: proofs of what scanners open, and quarantined messages."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index


class ScannerProof(models.Model):
    """The kinds of file in which one scanner was last proved to find the test file."""

    scanner = models.CharField(
        max_length=400, unique=True, help_text="clamd's address, or embedded"
    )
    opens = models.JSONField(default=list, help_text="kinds, by name")
    proved_at = models.DateTimeField(null=True, help_text="when it last answered")
    asked_at = models.DateTimeField(help_text="when it was last asked")
    signatures = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="their version, as clamd tells it",
    )
    problem = models.CharField(
        max_length=600, blank=True, help_text="why it did not answer then"
    )

    class Meta:
        ordering = ["scanner"]

    def __str__(self) -> str:
        return self.scanner


class QuarantinedMessage(FoundByWords):
    """A copy of an infected message, kept for operators and never delivered."""

    FOUND_BY = ("signature", "sender")

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
        indexes = [unwritten_index("quarantined_no_words")]

    def __str__(self) -> str:
        return f"{self.signature} from {self.sender or 'unknown'}"
