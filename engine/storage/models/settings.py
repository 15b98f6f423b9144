from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from engine.registry.models import Mailbox, Organisation


class MailboxSettings(models.Model):
    """How one mailbox is shown to whoever reads it."""

    mailbox = models.OneToOneField(
        Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="settings"
    )
    shows_conversations = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"settings of {self.mailbox}"


class Retention(models.Model):
    """After how many days an organisation's Deleted and Junk let messages go."""

    DEFAULT_DAYS = 30
    MAX_DAYS = 365
    LIMITS = [MinValueValidator(1), MaxValueValidator(MAX_DAYS)]

    organisation = models.OneToOneField(
        Organisation,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="retention",
    )
    deleted_days = models.PositiveSmallIntegerField(
        default=DEFAULT_DAYS, validators=LIMITS
    )
    junk_days = models.PositiveSmallIntegerField(
        default=DEFAULT_DAYS, validators=LIMITS
    )

    def __str__(self) -> str:
        return f"retention of {self.organisation}"
