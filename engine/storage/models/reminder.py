"""Messages that return at a time: snoozed ones, and sent ones that nobody answered."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox, Person
from engine.storage.models.folder import Folder
from engine.storage.models.group_work import reference_to_message


class ReminderKind(models.TextChoices):
    """What a reminder waits for."""

    SNOOZE = "snooze", "Snoozed until a time"
    FOLLOW_UP = "follow_up", "Reminds if nobody answered"


class Reminder(models.Model):
    """A message that returns at `due_at`; `is_due` once it has.

    `folder` is where a snoozed message returns to, the inbox if that was deleted.
    """

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="reminders", db_index=False
    )
    message = reference_to_message()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=ReminderKind.choices)
    due_at = models.DateTimeField()
    is_due = models.BooleanField(default=False)
    folder = models.ForeignKey(
        Folder, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(is_due=False),
                name="reminder_waiting",
            ),
            # What a page of the mailbox shows, latest first.
            models.Index(
                fields=["mailbox", "is_due", "-due_at"], name="reminder_shown"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message", "kind"], name="reminder_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.message_id} at {self.due_at}"
