"""The delivery certificates that were made."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    """Whose view of a message a certificate states."""

    AUTHOR = "author", "the author of the message"
    RECIPIENT = "recipient", "a recipient of the message"
    SENDING_ORGANISATION = "sending_organisation", "the author’s organisation"
    RECEIVING_ORGANISATION = "receiving_organisation", "a recipient’s organisation"


class Certificate(models.Model):
    """One certificate, for its maker to download. Verifying it needs no row.

    Without foreign keys: it outlives the message and the person.
    """

    number = models.UUIDField(default=uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=32, help_text="of the message")
    role = models.CharField(max_length=24, choices=Role.choices)
    person_id = models.BigIntegerField(help_text="who made it")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    document = models.TextField(help_text="the certificate as JSON, signed")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"certificate {self.number}"
