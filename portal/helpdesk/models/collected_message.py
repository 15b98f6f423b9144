"""The record of each message collected from the helpdesk's mailbox."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from portal.helpdesk.models.ticket import Ticket
from portal.helpdesk.status import Outcome


class CollectedMessage(models.Model):
    """A message to the helpdesk's mailbox, with its outcome.

    `stored_id` is the message's id in storage, which is never reused: it keeps a message
    from being collected twice.
    """

    stored_id = models.BigIntegerField(unique=True)
    message_id = models.CharField(max_length=300, blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=200, blank=True)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    received_at = models.DateTimeField(
        null=True, help_text="when it arrived; unknown for what was collected earlier"
    )
    collected_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["from_address", "collected_at"], name="collected_by_sender"
            ),
            models.Index(fields=["message_id"], name="collected_by_message_id"),
        ]

    def __str__(self) -> str:
        return self.subject or "(no subject)"
