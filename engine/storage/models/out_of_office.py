"""Out-of-office replies, and the senders who got one."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from engine.registry.models import Mailbox


class OutOfOfficeQuerySet(models.QuerySet["OutOfOffice"]):
    """Sets of out-of-office settings."""

    def on_at(self, moment: datetime) -> OutOfOfficeQuerySet:
        """Returns those that reply at that moment."""
        return self.filter(
            models.Q(ends_at=None) | models.Q(ends_at__gt=moment),
            is_on=True,
            starts_at__lte=moment,
        )


class OutOfOffice(models.Model):
    """The automatic reply of a mailbox while its holder is away (RFC 3834)."""

    mailbox = models.OneToOneField(
        Mailbox,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="out_of_office",
    )
    is_on = models.BooleanField(default=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    subject = models.CharField(max_length=200)
    text = models.TextField(max_length=5000)

    objects = OutOfOfficeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"out of office of {self.mailbox}"


class Answered(models.Model):
    """When a sender last got a mailbox's automatic reply, so that replies are spaced."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="answered"
    )
    sender = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "sender"], name="answered_sender_once"
            )
        ]

    def __str__(self) -> str:
        return self.sender
