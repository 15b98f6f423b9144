"""Messages that were taken out of their mailboxes after the delivery."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox
from engine.storage.models.content import Content
from engine.storage.models.message import MessageFacts


class WithdrawalKind(models.TextChoices):
    """Why a delivered message is withdrawn."""

    RECALLED = "recalled", "Recalled by its sender"
    OPERATOR = "operator", "Withdrawn by the operator of the service"
    INFECTED = "infected", "Found infected, and withdrawn"


class WithdrawnCopy(MessageFacts):
    """A delivered message that is in no folder now, and can be put back.

    Its row has moved here from the table of messages, under the same id, so that nothing
    that reads messages can find it. It can be read through `content` and `content_holder`
    like a message.
    """

    id = models.BigIntegerField(
        primary_key=True, help_text="the id that the message had, and gets back"
    )
    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="withdrawn_copies"
    )
    # Not a foreign key: the folder may be deleted meanwhile.
    folder_id = models.BigIntegerField(help_text="the folder that it was in")
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="withdrawn_copies"
    )
    kind = models.CharField(max_length=10, choices=WithdrawalKind.choices)
    reason = models.CharField(max_length=300, blank=True)
    occasion = models.CharField(
        max_length=60, blank=True, help_text="finds all copies of one withdrawal"
    )
    by_key = models.CharField(max_length=80, blank=True, help_text="as in the audit")
    by_name = models.CharField(max_length=320)
    withdrawn_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        db_index=True, help_text="when it goes for good, unless it was put back"
    )

    class Meta:
        ordering = ["-withdrawn_at", "-id"]
        indexes = [
            models.Index(
                fields=["mailbox", "-withdrawn_at"], name="withdrawn_by_mailbox"
            ),
            models.Index(
                fields=["occasion", "id"],
                condition=models.Q(occasion__gt=""),
                name="withdrawn_by_occasion",
            ),
        ]

    @property
    def content_holder(self) -> int:
        """The id of the organisation whose key reads the content."""
        return self.mailbox.organisation_id
