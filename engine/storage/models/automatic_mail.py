"""The forwards and automatic replies that wait to be sent."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from engine.storage.models.message import Message

FAULT_LENGTH = 200  # characters


class AutomaticMailKind(models.TextChoices):
    """What a delivered message triggers."""

    FORWARD = "forward", "Forward"
    ANSWER = "answer", "Out of office"


class AutomaticMail(models.Model):
    """A forward or automatic reply that a mailbox must send for a message it received.

    Written with the delivery and deleted with the sending, each in one transaction, so
    that a crash between the two loses nothing and sends nothing twice.
    """

    kind = models.CharField(max_length=10, choices=AutomaticMailKind.choices)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="automatic_mail"
    )
    target = models.CharField(max_length=254, blank=True, help_text="of a forward")
    requires_tls = models.BooleanField(
        default=False, db_default=False, help_text="as the message did, RFC 8689 §6"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    # Set by the database: the engines that compare it may be on hosts with other clocks.
    due_at = models.DateTimeField(
        db_default=Now(), db_index=True, help_text="by the database's clock"
    )
    fault = models.CharField(
        max_length=FAULT_LENGTH, blank=True, db_default="", help_text="the last time"
    )
    set_aside_at = models.DateTimeField(
        null=True, help_text="when it had failed too often to be tried again by itself"
    )

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
