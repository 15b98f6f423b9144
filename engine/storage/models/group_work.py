"""What the members of a group mailbox do with its messages, and say to each other.

A message may be withdrawn and put back under its id, so that these rows refer to it without
a constraint: they stay, and `engine.storage.organising.forgetting` deletes them with the message.
"""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox, Person
from engine.storage.models.message import Message

NOTE_LENGTH = 2000


def reference_to_message() -> models.ForeignKey[Message]:
    """Returns a foreign key that outlives the message's row."""
    return models.ForeignKey(
        Message,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )


class MessageOpening(models.Model):
    """The first time that a member of a group mailbox opened a message."""

    message = reference_to_message()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "person"], name="message_opening_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id} opened by {self.person_id}"


class MessageAnswer(models.Model):
    """An answer that a member of a group mailbox sent to a message.

    `reference` is the queue's, of the answer: undoing it removes the row.
    """

    message = reference_to_message()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    reference = models.CharField(max_length=32, db_index=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "reference"], name="message_answer_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id} answered by {self.person_id}"


class InternalNote(models.Model):
    """A note of one member for the others, on a message. It never leaves in mail.

    `thread` is the message's: all messages of a conversation show its notes.
    """

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="internal_notes"
    )
    message = reference_to_message()
    thread = models.BigIntegerField()
    author = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=NOTE_LENGTH)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["mailbox", "thread"], name="internal_note_shown"),
            models.Index(fields=["message"], name="internal_note_message"),
        ]

    def __str__(self) -> str:
        return f"note {self.pk} on {self.message_id}"


class AnswerInProgress(models.Model):
    """A member who is writing an answer from a group mailbox, and when they last saved.

    `in_reply_to` is the Message-ID of what they answer, which each of their drafts has.
    """

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="answers_in_progress"
    )
    in_reply_to = models.CharField(max_length=300)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    active_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "in_reply_to", "person"],
                name="answer_in_progress_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} answers {self.in_reply_to}"
