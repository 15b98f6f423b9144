from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox


class MaildropLock(models.Model):
    """Which POP3 session has a mailbox, until when unless it renews."""

    mailbox = models.OneToOneField(
        Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    token = models.CharField(max_length=16, blank=True)
    held_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"maildrop of {self.mailbox_id}"
