from __future__ import annotations

from datetime import timedelta

from django.db import models

from engine.registry.models import Mailbox, Person


class UndoTime(models.IntegerChoices):
    """For how many seconds a sent message waits, so that it can be taken back."""

    NONE = 0, "Send at once"
    SHORT = 10, "10 seconds"
    LONG = 30, "30 seconds"


class Habits(models.Model):
    """How a person likes to write."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, related_name="writing_habits"
    )
    undo_seconds = models.PositiveSmallIntegerField(
        choices=UndoTime.choices, default=UndoTime.SHORT
    )

    class Meta:
        verbose_name_plural = "habits"

    def __str__(self) -> str:
        return f"{self.person}: {self.undo_time.label}"

    @property
    def undo_time(self) -> UndoTime:
        return UndoTime(self.undo_seconds)

    @property
    def wait(self) -> timedelta:
        """How long a message waits before it leaves."""
        return timedelta(seconds=self.undo_seconds)


class Signature(models.Model):
    """Words that close the messages of a mailbox."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="signatures"
    )
    name = models.CharField(max_length=60)
    text = models.TextField(max_length=2000)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "name"], name="signature_name_once"
            ),
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=models.Q(is_default=True),
                name="signature_default_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
