"""Messages in folders."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.registry.models import Mailbox
from engine.storage.models.content import Content
from engine.storage.models.folder import Folder


class FirstUse(models.TextChoices):
    """How a message's content first left its mailbox. The reader is not recorded."""

    OPENED = "opened", "Opened in webmail"
    FETCHED = "fetched", "Fetched by a program"
    FORWARDED = "forwarded", "Forwarded by a rule"
    UNKNOWN = "unknown", "Delivered before this was recorded"


class MessageFacts(models.Model):
    """What is known of a delivered message, in its folder or withdrawn from it."""

    envelope_sender = models.CharField(
        max_length=254, blank=True, help_text="becomes Return-Path; empty when null"
    )
    received_at = models.DateTimeField(default=timezone.now)
    # A summary of the header, so that a page of a folder reads neither contents nor blobs.
    from_name = models.CharField(max_length=200, blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to_summary = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    message_id = models.CharField(max_length=300, blank=True, db_index=True)
    size = models.PositiveBigIntegerField(help_text="octets, header and body")
    has_attachments = models.BooleanField(default=False)
    is_read = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    is_draft = models.BooleanField(default=False)
    reference = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="the queue's; empty in drafts, and in mail stored before it was kept",
    )
    # The database's default is for rows of a version that does not record it.
    first_use = models.CharField(
        max_length=10,
        choices=FirstUse.choices,
        blank=True,
        default="",
        db_default=FirstUse.UNKNOWN.value,
        help_text="empty while nobody has seen the content",
    )
    thread = models.BigIntegerField(
        default=0, db_default=0, help_text="the same for all of one conversation"
    )
    # A number and not a reference: an index of folder and number serves the lists of what
    # is one person's and of what is nobody's, in order. PostgreSQL does not order by one of
    # nulls.
    assigned_to = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="a person's id, in group mailboxes; 0: nobody",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.subject or "(no subject)"


class Message(MessageFacts):
    """One message in one folder. Ids are never reused, so the id serves as a UID."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="messages"
    )
    # Without an index of its own: several below begin with it.
    folder = models.ForeignKey(
        Folder, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="messages"
    )
    is_indexed = models.BooleanField(
        default=False, db_default=False, help_text="search finds its words"
    )
    expires_at = models.DateTimeField(
        null=True, help_text="when it goes for good, in Deleted and Junk"
    )
    # Not among the facts: a withdrawn message keeps nothing of its text beside its content.
    preview = models.BinaryField(
        null=True, help_text="the beginning of its text; null until it is made"
    )

    class Meta:
        ordering = ["-id"]
        # Each serves one query of a folder's page or a background job. Partial where few
        # rows qualify, because every delivery writes every index that applies.
        indexes = [
            models.Index(fields=["folder", "-id"], name="message_by_folder"),
            models.Index(fields=["folder", "thread", "-id"], name="message_by_thread"),
            models.Index(
                fields=["folder", "assigned_to", "-id"], name="message_by_assignee"
            ),
            models.Index(fields=["folder", "size", "id"], name="message_by_size"),
            models.Index(
                fields=["folder", "from_address", "id"], name="message_by_sender"
            ),
            models.Index(
                fields=["folder", "-id"],
                condition=models.Q(has_attachments=True),
                name="message_with_files",
            ),
            models.Index(
                fields=["mailbox", "thread"],
                condition=models.Q(assigned_to__gt=0),
                name="message_assigned",
            ),
            models.Index(
                fields=["folder"],
                condition=models.Q(is_read=False),
                name="message_unread",
            ),
            models.Index(
                fields=["mailbox"],
                condition=models.Q(is_indexed=False),
                name="message_not_indexed",
            ),
            models.Index(
                fields=["folder", "-id"],
                condition=models.Q(is_flagged=True),
                name="message_flagged",
            ),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="message_expiring",
            ),
            # Of copies in Sent alone: the trace knows the ids of delivered messages.
            models.Index(
                fields=["reference"],
                condition=models.Q(envelope_sender="", reference__gt=""),
                name="message_sent_reference",
            ),
        ]

    @property
    def content_holder(self) -> int:
        """The id of the organisation whose key reads the content."""
        return self.mailbox.organisation_id

    @property
    def is_sent_copy(self) -> bool:
        """Whether the mailbox sent the message. True of received notices, too, whose
        delivery has no sender."""
        return bool(self.reference) and not self.envelope_sender and not self.is_draft
