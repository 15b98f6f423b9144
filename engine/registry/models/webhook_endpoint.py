from __future__ import annotations

from datetime import datetime

from django.db import models

from engine.registry.models.organisation import Organisation


class WebhookEvent(models.TextChoices):
    """Events that are sent to webhooks."""

    MESSAGE_DELIVERED = "message.delivered", "A message we sent was delivered"
    MESSAGE_DELAYED = "message.delayed", "A message we sent waits and is tried again"
    MESSAGE_FAILED = "message.failed", "A message we sent was returned undelivered"
    MESSAGE_REFUSED = "message.refused", "A message of ours was refused"
    MESSAGE_RECALLED = "message.recalled", "A message was recalled by its sender"
    MESSAGE_RECEIVED = "message.received", "A message came into one of our mailboxes"
    TICKET_CREATED = "ticket.created", "A ticket was opened"
    TICKET_REPLIED = "ticket.replied", "The helpdesk answered a ticket"
    TICKET_SOLVED = "ticket.solved", "A ticket was solved"


class WebhookEndpoint(models.Model):
    """A URL of another system, to which events are sent in signed requests.

    Without an organisation it belongs to the community. The signing secret is stored
    sealed with our own secret key (`engine.registry.webhooks`).
    """

    organisation = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="webhook_endpoints",
    )
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    sealed_secret = models.CharField(max_length=400)
    earlier_sealed_secret = models.CharField(
        max_length=400, blank=True, help_text="signs too, until the day below"
    )
    earlier_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    # A default of the database: the version before inserts without it.
    is_test = models.BooleanField(
        default=False,
        db_default=False,
        help_text="is sent what happens in the sandbox, and nothing else",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url

    def sealed_secrets(self, now: datetime) -> list[str]:
        """Returns the sealed secrets that sign at that moment, the newest first."""
        if self.earlier_until is not None and now < self.earlier_until:
            return [self.sealed_secret, self.earlier_sealed_secret]
        return [self.sealed_secret]
