"""Settings and locks of mailboxes, and the retention of an organisation's mailboxes."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from engine.registry.models import Mailbox, Organisation


class MailboxSettings(models.Model):
    """How webmail shows one mailbox."""

    mailbox = models.OneToOneField(
        Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="settings"
    )
    shows_conversations = models.BooleanField(default=True)
    archives_by_year = models.BooleanField(
        default=False, db_default=False, help_text="Archive moves into a year's folder"
    )

    def __str__(self) -> str:
        return f"settings of {self.mailbox}"


class MaildropLock(models.Model):
    """The POP3 session that has a mailbox open, and until when unless it renews.

    RFC 1939 §3 wants a maildrop locked while a session has it open; the lock is a row, so
    that it holds between processes and hosts.
    """

    mailbox = models.OneToOneField(
        Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    token = models.CharField(max_length=16, blank=True)
    held_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"maildrop of {self.mailbox_id}"


class Retention(models.Model):
    """After how many days an organisation's Deleted and Junk folders erase messages."""

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
