from __future__ import annotations

from django.db import models


class EventKind(models.TextChoices):
    """What can happen to a message, or to one recipient of it."""

    RECEIVED = "received", "Received"
    REFUSED = "refused", "Refused"
    QUARANTINED = "quarantined", "Quarantined"
    DELIVERED = "delivered", "Delivered"
    RELAYED = "relayed", "Handed to the next server"
    EXPANDED = "expanded", "Sent on to a distribution list"
    DEFERRED = "deferred", "Will be tried again"
    FAILED = "failed", "Could not be delivered"
    HELD = "held", "Held"
    RELEASED = "released", "Released"
    DROPPED = "dropped", "Dropped"


class Event(models.Model):
    """One thing that happened. No foreign keys: it outlives what it speaks of."""

    reference = models.CharField(
        max_length=32, db_index=True, help_text="of the message; its queue id"
    )
    recipient = models.CharField(max_length=254, blank=True, db_index=True)
    kind = models.CharField(max_length=12, choices=EventKind.choices)
    at = models.DateTimeField(db_index=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.recipient}"
